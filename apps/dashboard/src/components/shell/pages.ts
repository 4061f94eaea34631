import { type Access, allows, type Right } from "@lynceus/protocol/access";
import type { IconName } from "../icon.tsx";

/** A page of the sidebar, the dock, the palette and the `g` keys. Only pages that exist are listed. */
export interface ShellPage {
  href: string;
  title: string;
  icon: IconName;
  /** Pressed after `g`. */
  key: string;
  group: "main" | "operate";
  /** Who may open it. */
  right: Right;
  /** On a phone it has a place in the dock; the others are behind "Go to". */
  dock?: true;
}

const all: readonly ShellPage[] = [
  { href: "/", title: "Overview", icon: "overview", key: "o", group: "main", right: "read", dock: true },
  { href: "/incidents", title: "Incidents", icon: "incidents", key: "i", group: "main", right: "read", dock: true },
  { href: "/machines", title: "Machines", icon: "machines", key: "m", group: "main", right: "read", dock: true },
  { href: "/changes", title: "Changes", icon: "changes", key: "c", group: "main", right: "read", dock: true },
  { href: "/sites", title: "Sites", icon: "sites", key: "s", group: "main", right: "read" },
  { href: "/patterns", title: "Patterns", icon: "patterns", key: "p", group: "main", right: "read" },
  { href: "/silences", title: "Silences", icon: "silences", key: "l", group: "operate", right: "read" },
  { href: "/on-call", title: "On call", icon: "onCall", key: "w", group: "operate", right: "oversee" },
  { href: "/canary", title: "Canary", icon: "canary", key: "n", group: "operate", right: "read" },
  { href: "/alerting", title: "Alerting", icon: "alerting", key: "a", group: "operate", right: "oversee" },
  { href: "/targets", title: "Targets", icon: "targets", key: "r", group: "operate", right: "read" },
  { href: "/enrolment", title: "Enrolment", icon: "enrolment", key: "e", group: "operate", right: "administer" },
  { href: "/settings", title: "Settings", icon: "settings", key: "t", group: "operate", right: "read" },
];

/** The pages that somebody may open, in order. */
export const shellPages = (access: Access): readonly ShellPage[] => all.filter((page) => allows(access, page.right));

/** Pages that belong to another one of the sidebar. */
const within: Readonly<Record<string, readonly string[]>> = {
  "/incidents": ["/causes"],
  "/silences": ["/maintenance"],
  "/settings": ["/privacy"],
};

/** Whether `path` lies on the page `href` or below it. */
export function isOn(href: string, path: string): boolean {
  if (href === "/") return path === "/";
  return [href, ...(within[href] ?? [])].some((page) => path === page || path.startsWith(`${page}/`));
}
