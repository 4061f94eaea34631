import type { ReactNode } from "react";
import { Mark } from "../mark.tsx";
import styles from "./start-frame.module.css";

/** A page without the sidebar: log-in, the first admin, what is not there. `wide` for forms that show findings. */
export function StartFrame(props: { title: string; children: ReactNode; wide?: boolean }) {
  const { title, children, wide = false } = props;
  return (
    <main className={styles.frame} data-wide={wide}>
      <div className={styles.brand}>
        <Mark />
        <span>Lynceus</span>
      </div>
      <h1>{title}</h1>
      {children}
    </main>
  );
}
