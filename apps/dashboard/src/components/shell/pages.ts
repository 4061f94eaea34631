import { allows, type Role } from "../../lib/roles.ts";
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
  role: Role;
  /** On a phone it has a place in the dock; the others are behind "Go to". */
  dock?: true;
}

const all: readonly ShellPage[] = [
  { href: "/", title: "Overview", icon: "overview", key: "o", group: "main", role: "viewer", dock: true },
  { href: "/causes", title: "Causes", icon: "causes", key: "a", group: "main", role: "viewer", dock: true },
  { href: "/machines", title: "Machines", icon: "machines", key: "m", group: "main", role: "viewer", dock: true },
  { href: "/changes", title: "Changes", icon: "changes", key: "c", group: "main", role: "viewer", dock: true },
  { href: "/patterns", title: "Patterns", icon: "patterns", key: "p", group: "main", role: "viewer" },
  { href: "/canary", title: "Canary", icon: "canary", key: "n", group: "operate", role: "viewer" },
  { href: "/enrolment", title: "Enrolment", icon: "enrolment", key: "e", group: "operate", role: "admin" },
  { href: "/settings", title: "Settings", icon: "settings", key: "t", group: "operate", role: "viewer" },
];

/** The pages that someone of this role may open, in order. */
export const shellPages = (role: Role): readonly ShellPage[] => all.filter((page) => allows(role, page.role));

/** Whether `path` lies on the page `href` or below it. */
export function isOn(href: string, path: string): boolean {
  return href === "/" ? path === "/" : path === href || path.startsWith(`${href}/`);
}
