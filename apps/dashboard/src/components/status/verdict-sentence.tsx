import type { ReactNode } from "react";
import styles from "./status.module.css";

/**
 * The one sentence of a page: cause, then counterfactual; under it, quieter, who or what fixes it.
 * Put what is wrong into `<em>`: it takes the failing colour, not italics.
 */
export function VerdictSentence({ children, next }: { children: ReactNode; next?: ReactNode }) {
  return (
    <h1 className={styles.sentence}>
      {children}
      {next === undefined ? null : <span className={styles.sentenceNext}>{next}</span>}
    </h1>
  );
}
