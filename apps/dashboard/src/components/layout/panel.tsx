import type { ReactNode } from "react";
import styles from "./layout.module.css";

/** A surface with a title. `sub` says unit or scope in the quiet voice; `more` stands at the right end. */
export function Panel(props: {
  title?: ReactNode;
  sub?: ReactNode;
  more?: ReactNode;
  children: ReactNode;
  /** For a panel without a visible title. */
  label?: string;
  id?: string;
  className?: string;
}) {
  const { title, sub, more, children, label, id, className } = props;
  return (
    <section
      className={className === undefined ? styles.panel : `${styles.panel} ${className}`}
      {...(label === undefined ? {} : { "aria-label": label })}
      {...(id === undefined ? {} : { id })}
    >
      {title === undefined ? null : (
        <div className={styles.panelHead}>
          <h2>{title}</h2>
          {sub === undefined ? null : <span className={styles.panelSub}>{sub}</span>}
          {more === undefined ? null : <span className={styles.panelMore}>{more}</span>}
        </div>
      )}
      {children}
    </section>
  );
}
