import type { RecentChange } from "@lynceus/db/overview";

/** The filter terms of the machines that have a change's new value; null where the language cannot say it. */
export function changeQuery(change: Pick<RecentChange, "kind" | "text">): string | null {
  const script = /→ ([0-9a-f]{6,})$/.exec(change.text);
  if (change.kind === "script" && script) return `pac:${script[1]}`;
  const agent = /^Agent .* → (\S+)$/.exec(change.text);
  if (change.kind === "agent" && agent && !/[",*]/.test(agent[1] ?? "")) return `agent:${agent[1]}`;
  return null;
}

/** "Script content a → b" is titled "Proxy script a → b": the page does not say where it was read. */
export function changeTitle(change: Pick<RecentChange, "kind" | "text">): string {
  return change.kind === "script" ? change.text.replace(/^Script content /, "Proxy script ") : change.text;
}
