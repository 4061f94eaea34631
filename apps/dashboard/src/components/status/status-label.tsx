import type { ReactNode } from "react";
import styles from "./status.module.css";
import { type MarkStatus, StatusMark, statusWords } from "./status-mark.tsx";

/** Mark and word. `children` replaces the word where a sentence needs another one ("351 failing"). */
export function StatusLabel({ status, children }: { status: MarkStatus; children?: ReactNode }) {
  return (
    <span className={styles.label}>
      <StatusMark status={status} />
      {children ?? statusWords[status]}
    </span>
  );
}
