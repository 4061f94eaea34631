import { formatCount, formatDuration, formatTime, safeText } from "@lynceus/protocol/present";
import type { Counts, FleetChange } from "@lynceus/protocol/read-api";
import Link from "next/link";
import { machineHref } from "../machines/links.ts";
import { Chip } from "../status/chip.tsx";
import styles from "./changes.module.css";
import { changeTitle } from "./words.ts";

/** A change with how the machines that took it are now. */
export interface SeenChange {
  change: FleetChange;
  counts: Counts;
}

/** What changed on machines, the one that was taken last first: the same change on many machines is one. */
export function ChangeList({ changes, now, zone }: { changes: readonly SeenChange[]; now: number; zone: string }) {
  return (
    <ol className={styles.changes}>
      {changes.map(({ change, counts }) => {
        const first = Date.parse(change.firstAt);
        const rolled = Date.parse(change.lastAt) - first;
        return (
          <li key={change.id}>
            <time dateTime={change.firstAt} title={change.firstAt}>
              {formatTime(first, { now, zone })}
            </time>
            <div>
              <Link href={`/changes/${change.id}`} prefetch={false}>
                <b>
                  <bdi>{safeText(changeTitle(change))}</bdi>
                </b>
              </Link>{" "}
              {change.simulated ? <Chip>simulated</Chip> : null}
              <small>
                <Taken change={change} counts={counts} />
                {rolled >= 60_000 ? ` · over ${formatDuration(rolled)}` : ""}
              </small>
            </div>
          </li>
        );
      })}
    </ol>
  );
}

function Taken({ change, counts }: SeenChange) {
  const only = change.sample[0];
  const parts = [
    ["healthy", counts.healthy],
    ["stale", counts.stale],
    ["cannot tell", counts.cannotTell],
    ["signed off", counts.signedOff],
  ] as const;
  if (change.machines === 0) return <>made for all machines</>;
  return (
    <>
      {change.machines === 1 && only ? (
        <Link href={machineHref(only.id)} prefetch={false}>
          <bdi>{safeText(only.hostname)}</bdi>
        </Link>
      ) : (
        `${formatCount(change.machines)} machines`
      )}
      {counts.failing > 0 ? (
        <>
          {" · "}
          <b>{change.machines === 1 ? "failing" : `${formatCount(counts.failing)} failing`}</b>
        </>
      ) : (
        " · none failing"
      )}
      {change.machines === 1
        ? ""
        : parts
            .filter(([, count]) => count > 0)
            .map(([word, count]) => `, ${formatCount(count)} ${word}`)
            .join("")}
    </>
  );
}
