import Link from "next/link";
import type { ReactNode } from "react";
import styles from "./status.module.css";
import { type MarkStatus, StatusMark, statusWords } from "./status-mark.tsx";

/**
 * One of the four counts: mark, word, figure, share, and what it means. It opens the machines it counts.
 * `value` and `share` are ready to show ("9,812", "94.2 %", "at least 351").
 */
export function Count(props: {
  status: MarkStatus;
  value: string;
  share?: string | undefined;
  /** Right of the word: "+347 in 1 h". */
  change?: ReactNode;
  meaning: string;
  /** Null: of a moment gone by, of which no list is kept. */
  href: string | null;
}) {
  const { status, value, share, change, meaning, href } = props;
  const parts = (
    <>
      <span className={styles.countWord}>
        <StatusMark status={status} />
        {statusWords[status]}
        {change === undefined ? null : <span className={styles.countChange}>{change}</span>}
      </span>
      <span className={`${styles.countValue} figure`} data-bad={status === "failing" && value !== "0"}>
        {value}
        {share === undefined ? null : <small>{share}</small>}
      </span>
      <span className={styles.countMeaning}>{meaning}</span>
    </>
  );
  return href === null ? (
    <div className={styles.count} data-status={status}>
      {parts}
    </div>
  ) : (
    <Link className={styles.count} href={href} data-status={status}>
      {parts}
    </Link>
  );
}
