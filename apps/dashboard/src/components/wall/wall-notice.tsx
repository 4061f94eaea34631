import type { ReactNode } from "react";
import { Mark } from "../mark.tsx";
import styles from "./wall.module.css";

/** What a screen shows in place of the wallboard. */
export function WallNotice({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className={styles.closed}>
      <Mark size={34} />
      <h1>{title}</h1>
      {children}
    </main>
  );
}
