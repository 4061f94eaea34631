import { safeText } from "@lynceus/protocol/present";
import { changeKinds, type TimelineEntry } from "@lynceus/protocol/read-api";
import { beforeAfter } from "../changes/words.ts";
import styles from "./machine.module.css";

/** What happened; a change field by field, before and after. */
export function ChangeText({ entry }: { entry: Pick<TimelineEntry, "kind" | "text" | "detail"> }) {
  const changed = (changeKinds as readonly string[]).includes(entry.kind) ? beforeAfter(entry.text) : null;
  return (
    <>
      {changed === null ? (
        <bdi>{safeText(entry.text)}</bdi>
      ) : (
        <>
          <bdi>{safeText(changed.what)}</bdi>{" "}
          <del className={styles.was}>
            <span className="vh">was </span>
            <bdi>{safeText(changed.before)}</bdi>
          </del>{" "}
          <span aria-hidden="true">→</span>{" "}
          <ins className={styles.is}>
            <span className="vh">is </span>
            <bdi>{safeText(changed.after)}</bdi>
          </ins>
        </>
      )}
      {entry.detail ? (
        <span>
          {" "}
          · <bdi>{safeText(entry.detail)}</bdi>
        </span>
      ) : null}
    </>
  );
}
