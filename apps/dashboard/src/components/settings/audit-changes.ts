import { formatCount, safeText } from "@lynceus/protocol/present";

/** One thing that an act changed; null: was, or is, not there. */
export interface AuditChange {
  /** `role`, `targets.0.host`; empty where the whole is one value. */
  key: string;
  before: string | null;
  after: string | null;
}

/** What an object of a list is called: its place says nothing when another one is put before it. */
function nameIn(one: unknown, place: number): string {
  if (typeof one === "object" && one !== null)
    for (const key of ["id", "cidr", "group", "name"]) {
      const value = (one as Record<string, unknown>)[key];
      if (typeof value === "string" || typeof value === "number") return String(value);
    }
  return String(place);
}

const isId = (value: unknown): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(String(value));
/** Plain values that are shown; ids of machines say nothing one by one. */
const shownValues = 12;

function listText(values: readonly unknown[]): string {
  if (values.length === 0) return "none";
  if (values.length > 1 && values.every(isId)) return `${formatCount(values.length)} machines`;
  const shown = values.slice(0, shownValues).map((one) => safeText(String(one), 120));
  const rest = values.length - shown.length;
  return rest > 0 ? `${shown.join(", ")} and ${formatCount(rest)} more` : shown.join(", ");
}

/** Values of nested objects by their path. A list of plain values is one value. */
function flatten(value: unknown, path: string, into: Map<string, string>): void {
  if (value === null || value === undefined) return;
  if (Array.isArray(value) && value.every((one) => typeof one !== "object" || one === null)) {
    into.set(path, listText(value));
    return;
  }
  if (Array.isArray(value)) {
    for (const [place, inner] of value.entries()) flatten(inner, `${path}[${nameIn(inner, place)}]`, into);
    return;
  }
  if (typeof value === "object") {
    for (const [key, inner] of Object.entries(value)) flatten(inner, path === "" ? key : `${path}.${key}`, into);
    return;
  }
  into.set(path, safeText(String(value), 240));
}

/** What differs between before and after, in the order in which it stands there. What stayed is left out. */
export function auditChanges(before: unknown, after: unknown): AuditChange[] {
  const [was, is] = [new Map<string, string>(), new Map<string, string>()];
  flatten(before, "", was);
  flatten(after, "", is);
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((key) => {
    const change = { key, before: was.get(key) ?? null, after: is.get(key) ?? null };
    return change.before === change.after ? [] : [change];
  });
}

/** What acts are about: how their names begin, and what a person calls it. A test finds one that is missing. */
export const auditKinds: Readonly<Record<string, string>> = {
  account: "own account",
  alerting: "alerting",
  "api-token": "API tokens",
  canary: "canaries",
  "enrollment-token": "enrolment tokens",
  history: "history",
  incident: "incidents",
  machine: "machines",
  notice: "notices",
  policy: "policies",
  report: "reports",
  note: "notes",
  session: "sessions",
  receiver: "receivers of notices",
  retention: "retention",
  silence: "silences",
  "sign-in": "sign-in rules",
  "sign-on": "single sign-on",
  sites: "sites",
  user: "users",
  verification: "verifications",
  view: "saved views",
};
