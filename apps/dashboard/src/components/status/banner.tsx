import type { ReactNode } from "react";
import styles from "./status.module.css";
import { type MarkStatus, StatusMark } from "./status-mark.tsx";

/** What is wrong with the page, not with the fleet: not live, partial, not approved. First words in `<b>`. */
export function Banner(props: {
  mark?: MarkStatus;
  tone?: "stale" | "bad" | "plain";
  children: ReactNode;
  action?: ReactNode;
}) {
  const { mark = "stale", tone = "stale", children, action } = props;
  return (
    <div className={styles.banner} data-tone={tone} role="status">
      <span className={styles.bannerMark}>
        <StatusMark status={mark} />
      </span>
      <span className={styles.bannerText}>{children}</span>
      {action}
    </div>
  );
}
