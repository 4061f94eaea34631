import styles from "./layout.module.css";

const widths = ["38%", "82%", "64%", "71%", "55%", "78%", "60%", "80%"];

/** Lines where text will be. It is drawn only after 300 ms, and never over data. */
export function Skeleton({ lines = 6 }: { lines?: number }) {
  return (
    <div className={styles.late} role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are alike and never move
        <div key={line} className={styles.skeleton} style={{ width: widths[line % widths.length] }} />
      ))}
    </div>
  );
}
