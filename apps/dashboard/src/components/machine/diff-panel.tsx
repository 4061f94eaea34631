import { formatDuration, formatTime, safeText } from "@lynceus/protocol/present";
import type { TimelineEntry } from "@lynceus/protocol/read-api";
import { Panel } from "../layout/panel.tsx";
import { ChangeText } from "./change-text.tsx";
import styles from "./machine.module.css";
import type { SettingsDiff } from "./settings-diff.ts";

/** What changed before the first failure; on a machine that works, what changed in the last 24 h. */
export function DiffPanel({
  diff,
  failedAt,
  others,
  before,
  now,
  zone,
}: {
  diff: SettingsDiff | null;
  failedAt: number | null;
  /** Other machines that took the same script; null where that was not counted. */
  others: number | null;
  /** All that changed on this machine in the 24 h before, nearest first. */
  before: readonly TimelineEntry[];
  now: number;
  zone: string;
}) {
  const title = failedAt === null ? "What changed lately" : "What changed before the first failure";
  const [nearest] = before;
  if (diff === null) {
    return (
      <Panel title={title} {...(nearest === undefined ? {} : { sub: gapText(nearest, failedAt) })}>
        {nearest === undefined ? (
          <p className={styles.none}>
            {failedAt === null ? "No setting changed in the last 24 h." : "No setting changed in the 24 h before."}
          </p>
        ) : (
          <Before entries={before} now={now} zone={zone} />
        )}
      </Panel>
    );
  }
  const at = formatTime(diff.changedAt, { now, zone });
  const sub =
    failedAt === null
      ? `${at} changed`
      : `${at} changed, ${formatTime(failedAt, { now, zone })} first failure: ${formatDuration(failedAt - diff.changedAt)}`;
  return (
    <Panel title={title} sub={sub}>
      <table className={styles.diff}>
        <thead>
          <tr>
            <th scope="col">Proxy settings</th>
            <th scope="col">Until {at}</th>
            <th scope="col">Since {at}</th>
          </tr>
        </thead>
        <tbody>
          {diff.rows.map((row) => (
            <tr key={row.label} data-changed={row.changed}>
              <th scope="row">
                <bdi>{safeText(row.label)}</bdi>
              </th>
              <td>
                {row.changed ? <span className="vh">was </span> : null}
                <bdi>{safeText(row.before)}</bdi>
              </td>
              <td>
                {row.changed ? <span className="vh">is </span> : null}
                <bdi>{safeText(row.after)}</bdi>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {before.length === 0 ? null : <Before entries={before} now={now} zone={zone} />}
      <p className={styles.foot}>
        {diff.unchanged.length > 0 ? (
          <>
            {diff.unchanged.length} {diff.unchanged.length === 1 ? "setting" : "settings"} unchanged:{" "}
            <bdi>{safeText(diff.unchanged.join(", "))}</bdi>.{" "}
          </>
        ) : null}
        {others === null
          ? null
          : others === 0
            ? "No other machine has this script."
            : `${others} other ${others === 1 ? "machine has" : "machines have"} the same script.`}
      </p>
    </Panel>
  );
}

/** "17 min before the first failure". */
function gapText(entry: TimelineEntry, failedAt: number | null): string {
  return failedAt === null ? "" : `${formatDuration(failedAt - Date.parse(entry.at))} before the first failure`;
}

const shownBefore = 6;

/** What changed on this machine, nearest to the failure first. */
function Before({ entries, now, zone }: { entries: readonly TimelineEntry[]; now: number; zone: string }) {
  return (
    <ol className={styles.timeline} aria-label="Changes before, nearest first">
      {entries.slice(0, shownBefore).map((entry, i) => (
        <li key={entry.id} data-nearest={i === 0}>
          <time dateTime={entry.at} title={entry.at}>
            {formatTime(Date.parse(entry.at), { now, zone })}
          </time>
          <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
            <circle cx="6" cy="6" r="3" fill={i === 0 ? "var(--ink)" : "none"} stroke="var(--ink3)" strokeWidth="1.4" />
          </svg>
          <div>
            <ChangeText entry={entry} />
            {i === 0 ? <span> · nearest</span> : null}
          </div>
        </li>
      ))}
      {entries.length > shownBefore ? (
        <li>
          <time />
          <i />
          <div>
            <span>and {entries.length - shownBefore} more</span>
          </div>
        </li>
      ) : null}
    </ol>
  );
}
