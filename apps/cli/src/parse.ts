import { usageProblem } from "./problem.ts";

/* What is typed. Each throws a Problem that says the value, the rule and an example. */

const units = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** `90m`, `2h`, `3d`, `1w` in milliseconds. */
export function duration(text: string, option: string, example = "2h"): number {
  const match = /^(\d{1,6})([mhdw])$/.exec(text);
  const ms = match ? Number(match[1]) * units[match[2] as keyof typeof units] : 0;
  if (ms <= 0)
    throw usageProblem(
      `${option} "${text}" is no duration of minutes, hours, days or weeks; use e.g. ${option} ${example}`,
    );
  return ms;
}

/** A time with its zone, or so long before or after now: ISO 8601. */
export function moment(text: string, option: string, now: number, direction: 1 | -1): string {
  if (/^\d+[mhdw]$/.test(text)) return new Date(now + direction * duration(text, option)).toISOString();
  const at = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(\.\d+)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)
    ? Date.parse(text)
    : NaN;
  if (Number.isNaN(at))
    throw usageProblem(
      `${option} "${text}" is no time with its zone, and no duration; use e.g. ${option} 2026-11-24T08:00Z, or ${option} 2h`,
    );
  return new Date(at).toISOString();
}

export function wholeNumber(text: string, option: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw usageProblem(
      `${option} "${text}" is not a whole number from ${min} to ${max}; use e.g. ${option} ${Math.max(min, 10)}`,
    );
  return value;
}

/** `a,b` as a list; an option may also be repeated. */
export const commaList = (text: string, before: readonly string[] = []): string[] => [
  ...before,
  ...text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
];

/** Incident numbers: `1182`, or `#1182` as people write it. */
export const incidentNumber = (text: string): number => wholeNumber(text.replace(/^#/, ""), "incident", 1, 2 ** 31 - 1);

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const isId = (text: string): boolean => uuid.test(text);

export function id(text: string, what: string): string {
  if (!isId(text))
    throw usageProblem(`"${text}" is no ${what}'s id; lists have it, such as 0f8b3c1e-8a53-4f3b-9d5e-2f6f3c1b7a10`);
  return text;
}
