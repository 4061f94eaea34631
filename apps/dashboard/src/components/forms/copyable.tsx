import type { ReactNode } from "react";
import { CopyButton } from "../copy-button.tsx";
import styles from "./forms.module.css";

/** A command or secret to take away: its text, and a button that copies it. */
export function Copyable(props: {
  value: string;
  label: string;
  title?: string;
  main?: boolean;
  /** Beside the button. */
  children?: ReactNode;
}) {
  const { value, label, title, main = false, children } = props;
  return (
    <div>
      {title === undefined ? null : <h3 className={styles.small}>{title}</h3>}
      <code className={styles.code}>{value}</code>
      <div className={styles.acts}>
        <CopyButton value={value} label={label} variant={main ? "filled" : "default"} />
        {children}
      </div>
    </div>
  );
}
