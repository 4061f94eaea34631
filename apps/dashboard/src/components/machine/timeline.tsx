import { formatTime } from "@lynceus/protocol/present";
import type { TimelineEntry } from "@lynceus/protocol/read-api";
import { Panel } from "../layout/panel.tsx";
import { type MarkStatus, StatusMark } from "../status/status-mark.tsx";
import { ChangeText } from "./change-text.tsx";
import styles from "./machine.module.css";

/** What happened on this machine, newest first. A replayed entry arrived after an outage and says so. */
export function Timeline({
  entries,
  sub,
  now,
  zone,
  more,
}: {
  entries: readonly TimelineEntry[];
  sub: string;
  now: number;
  zone: string;
  more: React.ReactNode;
}) {
  return (
    <Panel title="Timeline" sub={sub} more={more}>
      {entries.length === 0 ? (
        <p className={styles.none}>Nothing has changed on this machine yet.</p>
      ) : (
        <ol className={styles.timeline}>
          {entries.map((entry) => (
            <li key={entry.id}>
              <time dateTime={entry.at} title={entry.at}>
                {formatTime(Date.parse(entry.at), { now, zone })}
              </time>
              <Mark entry={entry} />
              <div>
                <ChangeText entry={entry} />
                {entry.replayed ? <span> · replayed</span> : null}
              </div>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function Mark({ entry }: { entry: TimelineEntry }) {
  const status: MarkStatus | null = entry.severity;
  if (status !== null) return <StatusMark status={status} />;
  return (
    <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      <circle cx="6" cy="6" r="3" fill="none" stroke="var(--ink3)" strokeWidth="1.4" />
    </svg>
  );
}
