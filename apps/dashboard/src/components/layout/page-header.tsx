import Link from "next/link";
import { Fragment, type ReactNode } from "react";
import { LiveIndicator } from "../shell/live-indicator.tsx";
import styles from "./layout.module.css";

/**
 * The line above a page: where one is, whether it is live, and the page's own controls (`children`, at the right).
 * `asOf` is the instant (ms) of the page's one snapshot; without it the page does not claim to be live.
 */
export function PageHeader(props: {
  title: ReactNode;
  /** Pages above this one, outermost first. */
  above?: readonly { title: string; href: string }[];
  asOf?: number | undefined;
  children?: ReactNode;
}) {
  const { title, above = [], asOf, children } = props;
  return (
    <header className={styles.top}>
      <nav className={styles.crumbs} aria-label="Breadcrumb">
        {above.map((page) => (
          <Fragment key={page.href}>
            <Link href={page.href}>{page.title}</Link>
            <span aria-hidden="true"> / </span>
          </Fragment>
        ))}
        <b aria-current="page">{title}</b>
      </nav>
      <div className={styles.space} />
      {asOf === undefined ? null : <LiveIndicator asOf={asOf} />}
      {children}
    </header>
  );
}
