"use client";

import { useCountdown } from "../use-countdown.ts";
import styles from "./phone.module.css";

/** Takes an acknowledgement back: called Undo for its first seconds, Release after. */
export function UndoButton({ leftMs, since }: { leftMs: number; since: number }) {
  const left = useCountdown(leftMs, since);
  return (
    <button type="submit" className={styles.button}>
      {left > 0 ? `Undo ${left} s` : "Release"}
    </button>
  );
}
