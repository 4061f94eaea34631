import type { FleetChange } from "@lynceus/protocol/read-api";

/** "Script content a → b" is titled "Proxy script a → b": a list does not say where it was read. */
export function changeTitle(change: Pick<FleetChange, "kind" | "text">): string {
  return change.kind === "script" ? change.text.replace(/^Script content /, "Proxy script ") : change.text;
}

/** Kinds of changes as a filter names them. */
export const changeKindTitles: Record<FleetChange["kind"], string> = {
  settings: "Proxy settings",
  script: "Proxy scripts",
  certificate: "Certificates",
  dns: "DNS answers",
  agent: "Agents",
  system: "Systems",
  policy: "Policy",
};

/** "Proxy server: px1:8080 → px2:8080" as the setting, before and after; null where the text is of another form. */
export function beforeAfter(text: string): { what: string; before: string; after: string } | null {
  const match = /^(?:(.+?): |(Script content|Agent|Lynceus policy|Policy) )(.*?) → (.*)$/su.exec(text);
  if (!match) return null;
  return { what: match[1] ?? match[2] ?? "", before: match[3] ?? "", after: match[4] ?? "" };
}
