import { formatCount, formatDuration, formatTime, safeText } from "@lynceus/protocol/present";
import type { Cause } from "@lynceus/protocol/read-api";
import Link from "next/link";
import { Panel } from "../layout/panel.tsx";
import styles from "./causes.module.css";

/** The change nearest before the first failure, and why it is believed to belong to the cause. */
export function PrecedingChange({ cause, now, zone }: { cause: Cause; now: number; zone: string }) {
  const { change, firstSeen } = cause;
  const time = (at: string) => formatTime(Date.parse(at), { now, zone });
  const gap = change && firstSeen ? Date.parse(firstSeen) - Date.parse(change.at) : null;
  return (
    <Panel
      title="What changed before the first failure"
      {...(gap === null || firstSeen === null || gap < 0
        ? {}
        : { sub: `first failure ${time(firstSeen)}, ${formatDuration(gap)} after` })}
    >
      {change === null ? (
        <p className={styles.none}>
          No change was seen before the first failure
          {firstSeen === null ? "" : ` at ${time(firstSeen)}`} that these machines share.
        </p>
      ) : (
        <>
          <div className={styles.before}>
            <time dateTime={change.at} title={change.at}>
              {time(change.at)}
            </time>
            <div>
              <b>
                {change.id === null ? (
                  <bdi>{safeText(change.text)}</bdi>
                ) : (
                  <Link href={`/changes/${change.id}`}>
                    <bdi>{safeText(change.text)}</bdi>
                  </Link>
                )}
              </b>
              <small>
                Seen on {formatCount(change.seenOn)} of the {formatCount(cause.explains)} machines
                {change.by === "value" ? ". It set the value that they share." : ", and on few healthy ones."}
              </small>
            </div>
          </div>
          <p className={styles.note}>Likely order: the change, then the failures. The order in time is no proof.</p>
        </>
      )}
    </Panel>
  );
}
