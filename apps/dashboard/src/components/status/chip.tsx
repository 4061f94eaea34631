import type { ReactNode } from "react";
import styles from "./status.module.css";

export type ChipTone = "plain" | "bad" | "ok" | "stale" | "unknown" | "accent";

/** A short fact in a tint. The tone repeats what the words say; it never says it alone. */
export function Chip({ tone = "plain", children, title }: { tone?: ChipTone; children: ReactNode; title?: string }) {
  return (
    <span className={styles.chip} data-tone={tone} {...(title === undefined ? {} : { title })}>
      {children}
    </span>
  );
}
