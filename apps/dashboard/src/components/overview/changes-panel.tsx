import type { RecentChange } from "@lynceus/db/overview";
import { formatCount, formatTime, safeText } from "@lynceus/protocol/present";
import type { Counts } from "@lynceus/protocol/read-api";
import Link from "next/link";
import { Panel } from "../layout/panel.tsx";
import { machineHref, machinesHref } from "../machines/links.ts";
import { changeTitle } from "./changes.ts";
import styles from "./overview.module.css";

export interface SeenChange {
  change: RecentChange;
  /** Filter that selects the machines that have the new value, and how they are; null where it cannot be said. */
  have: { query: string; counts: Counts } | null;
}

/** What changed lately on machines, newest first, with how the machines that have the new value are now. */
export function ChangesPanel({ changes, now, zone }: { changes: readonly SeenChange[]; now: number; zone: string }) {
  return (
    <Panel title="Recent changes" sub="seen on machines">
      {changes.length === 0 ? (
        <p className={styles.small}>No setting, script or agent changed on any machine in this time.</p>
      ) : (
        <ol className={styles.changes}>
          {changes.map(({ change, have }) => (
            <li key={change.key}>
              <time dateTime={change.firstAt.toISOString()} title={change.firstAt.toISOString()}>
                {formatTime(change.firstAt.getTime(), { now, zone })}
              </time>
              <div>
                <b>
                  <bdi>{safeText(changeTitle(change))}</bdi>
                </b>
                <small>{have ? <Have have={have} /> : <Seen change={change} />}</small>
              </div>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function Have({ have }: { have: { query: string; counts: Counts } }) {
  const { counts, query } = have;
  const parts = [
    ["failing", counts.failing, "failing"],
    ["healthy", counts.healthy, "healthy"],
    ["stale", counts.stale, "stale"],
    ["cannot-tell", counts.cannotTell, "cannot tell"],
    ["signed-off", counts.signedOff, "signed off"],
  ] as const;
  const total = parts.reduce((sum, [, count]) => sum + count, 0);
  return (
    <>
      <Link href={machinesHref(query)} prefetch={false}>
        {formatCount(total)} {total === 1 ? "machine has it" : "machines have it"}
      </Link>
      {parts
        .filter(([, count]) => count > 0)
        .map(([status, count, word], i) => (
          <span key={status}>
            {i === 0 ? " · " : ", "}
            <Link href={machinesHref(query, `status:${status}`)} prefetch={false}>
              {status === "failing" ? <b>{formatCount(count)} failing</b> : `${formatCount(count)} ${word}`}
            </Link>
          </span>
        ))}
    </>
  );
}

function Seen({ change }: { change: RecentChange }) {
  const failing =
    change.failing === 0 ? (
      "none failing"
    ) : (
      <b>
        {formatCount(change.failing)} failing
        {change.failedAfter < change.failing ? `, ${formatCount(change.failedAfter)} since` : ""}
      </b>
    );
  return change.machines === 1 ? (
    <>
      <Link href={machineHref(change.machineId)} prefetch={false}>
        <bdi>{safeText(change.hostname)}</bdi>
      </Link>{" "}
      · {change.failing === 0 ? "not failing" : <b>failing</b>}
    </>
  ) : (
    <>
      {formatCount(change.machines)} machines · {failing}
    </>
  );
}
