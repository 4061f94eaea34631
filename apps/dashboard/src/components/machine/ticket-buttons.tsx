import type { Ticket } from "@lynceus/protocol/read-api-tools";
import { CopyButton } from "../copy-button.tsx";
import styles from "./machine.module.css";

/** Evidence, verdict, fix and counterfactual for a ticket, as plain text (`t`) or Markdown: one click each. */
export function TicketButtons({ ticket }: { ticket: Ticket }) {
  return (
    <span className={styles.ticket}>
      <CopyButton value={ticket.text} label="Ticket text" variant="subtle" shortcut="t" />
      <CopyButton value={ticket.markdown} label="Markdown" variant="subtle" />
    </span>
  );
}
