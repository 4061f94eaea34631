import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import styles from "./forms.module.css";

/** A form's button, and beside it what it did. */
export function Submit(props: {
  pending: boolean;
  /** What was done, in words; null before. */
  done?: string | null;
  /** The one act of the page. */
  main?: boolean;
  children: ReactNode;
}) {
  const { pending, done = null, main = false, children } = props;
  return (
    <div className={styles.submit}>
      <Button type="submit" loading={pending} variant={main ? "filled" : "default"}>
        {children}
      </Button>
      <span role="status" className="dim">
        {done}
      </span>
    </div>
  );
}
