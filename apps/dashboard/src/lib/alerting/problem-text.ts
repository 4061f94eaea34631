import type { AlertingProblem } from "@lynceus/protocol/alerting";
import { safeText } from "@lynceus/protocol/present";

/** The value at `routes.2.receivers.0` of a document of unknown shape. */
export function valueAt(value: unknown, path: string): unknown {
  if (path === "") return value;
  return path
    .split(".")
    .reduce<unknown>(
      (inner, key) =>
        typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
          ? (inner as Record<string, unknown>)[key]
          : undefined,
      value,
    );
}

const shown = (value: unknown) => safeText(JSON.stringify(value) ?? "nothing", 60);

/** What a schema's own words mean, for a person: the value, the rule, an example where there is one. */
const plain: readonly [RegExp, (value: unknown, found: readonly string[]) => string][] = [
  [/expected string to have >=1 characters/, () => "This is missing."],
  [
    /expected string to have >=(\d+) characters/,
    (value, [, least]) => `${shown(value)} is too short: ${least} characters at least.`,
  ],
  [/expected string to have <=(\d+) characters/, (_, [, most]) => `This is too long: ${most} characters at most.`],
  [
    /expected array to have >=(\d+) items/,
    (_, [, least]) => (least === "1" ? "Choose one at least." : `Choose ${least} at least.`),
  ],
  [/expected array to have <=(\d+) items/, (_, [, most]) => `These are too many: ${most} at most.`],
  [
    /expected (?:number|int) to be >=(-?[\d.]+)/,
    (value, [, least]) => `${shown(value)} is too small; ${least} is the least.`,
  ],
  [
    /expected (?:number|int) to be <=(-?[\d.]+)/,
    (value, [, most]) => `${shown(value)} is too large; ${most} is the most.`,
  ],
  [/expected int, received number/, (value) => `${shown(value)} is no whole number; use e.g. 5.`],
  [
    /expected number, received/,
    (value) => (value === "" ? "This is missing; use e.g. 5." : `${shown(value)} is no number; use e.g. 5.`),
  ],
  [/expected string, received (undefined|null)/, () => "This is missing."],
  [/Invalid email/i, (value) => `${shown(value)} is no mail address; use e.g. oncall@contoso.com.`],
];

/** Problems in words that name the value and the rule. `document`: what they were found in. */
export function problemText(problem: AlertingProblem, document: unknown): string {
  for (const [pattern, say] of plain) {
    const found = pattern.exec(problem.message);
    if (found) return say(valueAt(document, problem.path), found);
  }
  return safeText(problem.message, 600);
}
