import { formatCount, safeText } from "@lynceus/protocol/present";
import Link from "next/link";
import type { SilencePreviewAnswer } from "../../lib/silence-preview.ts";
import { incidentHref } from "../incidents/words.ts";
import { machinesHref } from "../machines/links.ts";
import styles from "./silences.module.css";

/** What a silence would cover at this moment: machines, and how much of each open incident. */
export function SilencePreview({ match, answer }: { match: string; answer: SilencePreviewAnswer }) {
  const { preview, problem } = answer;
  if (problem !== null) return <p className="bad">{problem}</p>;
  if (preview === null) return <p className="dim">Say which machines; what they are now is shown here.</p>;
  const { machines, failing, incidents, sample } = preview;
  return (
    <>
      <p>
        {machines === 0 ? (
          <>
            <b>It matches no machine now.</b> Those that fit later are silent then.
          </>
        ) : (
          <>
            <b>
              It matches{" "}
              <Link className="link" href={machinesHref(match)} prefetch={false}>
                {formatCount(machines)} {machines === 1 ? "machine" : "machines"}
              </Link>{" "}
              now
            </b>
            , {failing === 0 ? "none of them" : formatCount(failing)} failing.
          </>
        )}
      </p>
      {incidents.length === 0 ? null : (
        <ul aria-label="Open incidents that it touches">
          {incidents.map(({ number, title, machines: silent, of }) => (
            <li key={number}>
              <Link className="link mono" href={incidentHref(number)} prefetch={false}>
                {number}
              </Link>{" "}
              <bdi>{safeText(title, 120)}</bdi>
              <span className="dim">
                {silent === of
                  ? `: all ${formatCount(of)} machines, so nobody is told of it any more`
                  : `: ${formatCount(silent)} of ${formatCount(of)} machines; the others still count`}
              </span>
            </li>
          ))}
        </ul>
      )}
      {sample.length === 0 ? null : (
        <p className={styles.names}>
          {sample.map(({ id, hostname }) => (
            <bdi key={id}>{safeText(hostname, 64)}</bdi>
          ))}
          {machines > sample.length ? <span>and {formatCount(machines - sample.length)} more</span> : null}
        </p>
      )}
    </>
  );
}
