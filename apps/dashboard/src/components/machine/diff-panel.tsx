import { formatDuration, formatTime, safeText } from "@lynceus/protocol/present";
import { Panel } from "../layout/panel.tsx";
import styles from "./machine.module.css";
import type { SettingsDiff } from "./settings-diff.ts";

/** What changed before the first failure; on a machine that works, what changed in the last 24 h. */
export function DiffPanel({
  diff,
  failedAt,
  others,
  now,
  zone,
}: {
  diff: SettingsDiff | null;
  failedAt: number | null;
  /** Other machines that took the same script; null where that was not counted. */
  others: number | null;
  now: number;
  zone: string;
}) {
  const title = failedAt === null ? "What changed lately" : "What changed before the first failure";
  if (diff === null) {
    return (
      <Panel title={title}>
        <p className={styles.none}>
          {failedAt === null ? "No setting changed in the last 24 h." : "No setting changed in the 24 h before."}
        </p>
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
