"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import settings from "../settings/settings.module.css";

const pages: readonly { href: string; title: string; also?: readonly string[] }[] = [
  { href: "/alerting", title: "Routes", also: ["/alerting/routes", "/alerting/new/routes"] },
  { href: "/alerting/receivers", title: "Receivers", also: ["/alerting/new/receivers"] },
  {
    href: "/alerting/people",
    title: "People and shifts",
    also: ["/alerting/schedules", "/alerting/new/people", "/alerting/new/schedules"],
  },
  { href: "/alerting/escalations", title: "Escalations", also: ["/alerting/new/escalations"] },
  { href: "/alerting/limits", title: "Limits", also: ["/alerting/inhibitions", "/alerting/new/inhibitions"] },
  { href: "/alerting/simulate", title: "Who would be paged" },
  { href: "/alerting/undelivered", title: "Undelivered" },
  { href: "/alerting/versions", title: "Versions and file", also: ["/alerting/import"] },
];

/** Tabs as links: each page has its own address. */
export function AlertingTabs() {
  const path = usePathname();
  const isCurrent = ({ href, also = [] }: (typeof pages)[number]) =>
    [...(href === "/alerting" ? [] : [href]), ...also].some((one) => path === one || path.startsWith(`${one}/`)) ||
    path === href;
  return (
    <nav className={settings.tabs} aria-label="Alerting">
      {pages.map((page) => (
        <Link key={page.href} href={page.href} {...(isCurrent(page) ? { "aria-current": "page" as const } : {})}>
          {page.title}
        </Link>
      ))}
    </nav>
  );
}
