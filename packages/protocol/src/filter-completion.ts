import { type FilterFieldInfo, filterFields } from "./filter.ts";

/* How a filter is typed: what completes the term under the cursor, and how a value is written. Pure. */

/** What the word under the cursor asks to be completed with. */
export type Completion =
  | { kind: "field"; options: { value: string; title: string }[] }
  | { kind: "value"; field: string; prefix: string; head: string };

const fieldHead = /^(-?)([A-Za-z][A-Za-z-]*)(<=|>=|:|<|>)(.*)$/;

/** A field while none is written, then its values. The draft is one term that is not finished; `fields`, those that can be asked for. */
export function completionOf(draft: string, fields?: readonly string[]): Completion {
  const match = fieldHead.exec(draft);
  if (match && Object.hasOwn(filterFields, (match[2] as string).toLowerCase())) {
    const [, minus = "", name = "", op = ":", rest = ""] = match;
    const comma = rest.lastIndexOf(",");
    return {
      kind: "value",
      field: name.toLowerCase(),
      prefix: rest.slice(comma + 1),
      head: `${minus}${name.toLowerCase()}${op}${rest.slice(0, comma + 1)}`,
    };
  }
  const word = draft.replace(/^-/, "").toLowerCase();
  const minus = draft.startsWith("-") ? "-" : "";
  const options = Object.entries(filterFields as Record<string, FilterFieldInfo>)
    .filter(([name]) => name.startsWith(word) && (fields === undefined || fields.includes(name)))
    .map(([name, info]) => ({ value: `${minus}${name}:`, title: info.title }));
  return { kind: "field", options };
}

/** Ways to write the field that is being typed, for the right end of the bar. */
export function examplesOf(draft: string): string | null {
  const completion = completionOf(draft);
  if (draft === "" || completion.kind !== "value") return null;
  const info = (filterFields as Record<string, FilterFieldInfo>)[completion.field];
  if (!info) return null;
  if (info.type === "time")
    return `${completion.field}<2h · ${completion.field}:2026-11-24T02:12 · ${completion.field}>7d`;
  return info.example;
}

/** A value as it has to stand in a term. */
export function quoteValue(value: string): string {
  return value !== "" && !/[\s",]/.test(value) ? value : `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** Splits a filter into the texts of its terms, at spaces outside quotes. */
export function splitTerms(text: string): string[] {
  return text.match(/(?:"(?:\\.|[^"\\])*"?|[^\s"])+/g) ?? [];
}

/** Field part and value part of a term's text, for its two shades. */
export function tokenParts(text: string): { negated: boolean; field: string; value: string } {
  const match = fieldHead.exec(text);
  if (!match) return { negated: text.startsWith("-"), field: "", value: text };
  const [, minus = "", name = "", op = "", value = ""] = match;
  return { negated: minus === "-", field: `${minus}${name}${op}`, value };
}
