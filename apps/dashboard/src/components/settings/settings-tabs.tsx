"use client";

import { type Access, allows, type Right } from "@lynceus/protocol/access";
import Link from "next/link";
import { usePathname } from "next/navigation";
import styles from "./settings.module.css";

/** A page of the settings. Only pages that exist are listed. */
const pages: readonly { href: string; title: string; right: Right }[] = [
  { href: "/settings", title: "General", right: "read" },
  { href: "/settings/account", title: "Account", right: "read" },
  { href: "/settings/users", title: "Users", right: "configure" },
  { href: "/settings/roles", title: "Roles", right: "read" },
  { href: "/settings/tokens", title: "API tokens", right: "configure" },
  { href: "/settings/sign-on", title: "Sign-on", right: "configure" },
  { href: "/settings/retention", title: "Retention", right: "read" },
  { href: "/privacy", title: "Privacy", right: "read" },
  { href: "/settings/audit", title: "Audit log", right: "configure" },
];

/** Tabs as links: each page has its own address. */
export function SettingsTabs({ access }: { access: Access }) {
  const path = usePathname();
  const isCurrent = (href: string) => (href === "/settings" ? path === href : path.startsWith(href));
  return (
    <nav className={styles.tabs} aria-label="Settings">
      {pages
        .filter((page) => allows(access, page.right))
        .map((page) => (
          <Link key={page.href} href={page.href} {...(isCurrent(page.href) ? { "aria-current": "page" as const } : {})}>
            {page.title}
          </Link>
        ))}
    </nav>
  );
}
