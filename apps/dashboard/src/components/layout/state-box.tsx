import type { ReactNode } from "react";
import styles from "./layout.module.css";

/** A state of a page or panel: what is known (`title`), since when or why (`children`), and the one next step. */
export function StateBox({ title, children, action }: { title: ReactNode; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className={styles.box}>
      <b>{title}</b>
      {children === undefined ? null : <p>{children}</p>}
      {action === undefined ? null : <div className={styles.boxAction}>{action}</div>}
    </div>
  );
}
