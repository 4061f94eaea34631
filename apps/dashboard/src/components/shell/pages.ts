import type { IconName } from "../icon.tsx";

/** A page of the sidebar, the dock, the palette and the `g` keys. Only pages that exist are listed. */
export interface ShellPage {
  href: string;
  title: string;
  icon: IconName;
  /** Pressed after `g`. */
  key: string;
  group: "main" | "operate";
}

export const shellPages: readonly ShellPage[] = [
  { href: "/", title: "Overview", icon: "overview", key: "o", group: "main" },
  { href: "/machines", title: "Machines", icon: "machines", key: "m", group: "main" },
  { href: "/enrolment", title: "Enrolment", icon: "enrolment", key: "e", group: "operate" },
  { href: "/settings", title: "Settings", icon: "settings", key: "t", group: "operate" },
];

/** Whether `path` lies on the page `href` or below it. */
export function isOn(href: string, path: string): boolean {
  return href === "/" ? path === "/" : path === href || path.startsWith(`${href}/`);
}
