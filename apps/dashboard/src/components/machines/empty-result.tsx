import { formatCount, safeText } from "@lynceus/protocol/present";
import Link from "next/link";
import { StateBox } from "../layout/state-box.tsx";
import { machinesHref } from "./links.ts";

/** Nothing matches: which term to drop, and how many machines would match then. */
export function EmptyResult({
  query,
  total,
  without,
}: {
  query: string;
  total: number;
  without: { term: string; rest: string; machines: number }[];
}) {
  if (total === 0) {
    return (
      <StateBox
        title="No machines yet."
        action={
          <Link className="link" href="/enrolment">
            Open enrolment
          </Link>
        }
      >
        Enrol the first one; it shows here within a minute.
      </StateBox>
    );
  }
  const best = [...without].sort((a, b) => b.machines - a.machines)[0];
  return (
    <StateBox
      title={`0 of ${formatCount(total)} machines match.`}
      action={
        <>
          {best && best.machines > 0 ? (
            <Link className="link" href={machinesHref(best.rest)}>
              Drop <bdi>{safeText(best.term)}</bdi>
            </Link>
          ) : null}
          <Link className="link" href="/machines">
            Clear all
          </Link>
        </>
      }
    >
      {best && best.machines > 0 ? (
        <>
          Without{" "}
          <code>
            <bdi>{safeText(best.term)}</bdi>
          </code>{" "}
          {formatCount(best.machines)} match.
        </>
      ) : (
        <>
          No single term of <code>{safeText(query)}</code> explains it.
        </>
      )}
    </StateBox>
  );
}
