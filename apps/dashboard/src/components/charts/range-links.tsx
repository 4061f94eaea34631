import Link from "next/link";
import styles from "./charts.module.css";

/** Which span a chart shows: links, so that the address says it. */
export function RangeLinks({
  ranges,
  current,
}: {
  ranges: readonly { name: string; href: string }[];
  current: string;
}) {
  return (
    <nav className={styles.ranges} aria-label="Range">
      {ranges.map(({ name, href }) => (
        <Link key={name} href={href} aria-current={name === current ? "true" : undefined} scroll={false}>
          {name.replace(/(\d+)/, "$1 ")}
        </Link>
      ))}
    </nav>
  );
}
