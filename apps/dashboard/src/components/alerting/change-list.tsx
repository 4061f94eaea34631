import { formatCount, safeText } from "@lynceus/protocol/present";
import type { AuditChange } from "../settings/audit-changes.ts";
import styles from "./alerting.module.css";

const most = 200;

/** What differs between two configurations: where, what was, what is. */
export function ChangeList({ changes }: { changes: readonly AuditChange[] }) {
  if (changes.length === 0) return <p className="dim">Nothing differs.</p>;
  return (
    <>
      <ul className={styles.changes}>
        {changes.slice(0, most).map(({ key, before, after }) => (
          <li key={key}>
            <span className="mono dim">{safeText(key, 120)}</span>
            <span>
              {before === null ? null : (
                <del>
                  <bdi>{before === "" ? "empty" : before}</bdi>
                </del>
              )}{" "}
              {after === null ? (
                <span className="dim">gone</span>
              ) : (
                <ins>
                  <bdi>{after === "" ? "empty" : after}</bdi>
                </ins>
              )}
            </span>
          </li>
        ))}
      </ul>
      {changes.length > most ? <p className="dim">and {formatCount(changes.length - most)} more</p> : null}
    </>
  );
}
