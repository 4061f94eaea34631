import { type Access, allows } from "@lynceus/protocol/access";
import Link from "next/link";
import styles from "../incidents/incidents.module.css";

const pages = [
  { id: "silences", title: "In force and to come", href: "/silences", right: "read" },
  { id: "all", title: "All silences", href: "/silences?show=all", right: "read" },
  { id: "maintenance", title: "Maintenance", href: "/maintenance", right: "oversee" },
] as const;

/** What keeps notices from people: for once, and by plan. */
export function MutingTabs({ access, current }: { access: Access; current: (typeof pages)[number]["id"] }) {
  return (
    <nav className={styles.tabs} aria-label="Silences and maintenance">
      {pages
        .filter(({ right }) => allows(access, right))
        .map(({ id, title, href }) => (
          <Link key={id} href={href} {...(id === current ? { "aria-current": "page" as const } : {})}>
            {title}
          </Link>
        ))}
    </nav>
  );
}
