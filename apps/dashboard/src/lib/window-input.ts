import { type AlertingProblem, type Maintenance, maintenanceSchema, weekdays } from "@lynceus/protocol/alerting";
import { formText, formTexts } from "./form-text.ts";

export const windowKinds = ["once", "daily", "weekly", "monthly"] as const;

/** What the form of a maintenance window holds, as text. */
export interface WindowValues {
  /** Of the window that is edited; empty for a new one. */
  id: string;
  name: string;
  match: string;
  zone: string;
  kind: string;
  from: string;
  to: string;
  at: string;
  minutes: string;
  days: string[];
  nth: string;
  day: string;
  validFrom: string;
  validUntil: string;
  note: string;
}
export type WindowErrors = Partial<Record<keyof WindowValues | "form", string>>;

export function emptyWindow(zone: string): WindowValues {
  return {
    id: "",
    name: "",
    match: "",
    zone,
    kind: "once",
    from: "",
    to: "",
    at: "02:00",
    minutes: "120",
    days: ["sun"],
    nth: "2",
    day: "tue",
    validFrom: "",
    validUntil: "",
    note: "",
  };
}

export function readWindowForm(form: FormData): WindowValues {
  const text = (name: string) => formText(form, name, 2_048).trim();
  return {
    id: text("id"),
    name: text("name"),
    match: text("match"),
    zone: text("zone"),
    kind: text("kind"),
    from: text("from"),
    to: text("to"),
    at: text("at"),
    minutes: text("minutes"),
    days: formTexts(form, "days", weekdays.length),
    nth: text("nth"),
    day: text("day"),
    validFrom: text("validFrom"),
    validUntil: text("validUntil"),
    note: text("note"),
  };
}

/** A window as its form shows it. */
export function valuesOf(window: Maintenance): WindowValues {
  const { id, name, match, zone, when, validFrom, validUntil, note } = window;
  return {
    ...emptyWindow(zone),
    ...(when.kind === "once"
      ? { from: when.from, to: when.to }
      : {
          at: when.at,
          minutes: String(when.minutes),
          ...(when.kind === "weekly" ? { days: when.days } : {}),
          ...(when.kind === "monthly" ? { nth: String(when.nth), day: when.day } : {}),
        }),
    id,
    name,
    match,
    kind: when.kind,
    validFrom: validFrom ?? "",
    validUntil: validUntil ?? "",
    note,
  };
}

const missing: WindowErrors = {
  name: "A name is missing; use e.g. Berlin, Sunday.",
  minutes: "This is no length in whole minutes, a week at most (daily: a day); use e.g. 120.",
  days: "No day is chosen.",
};

/** The form as a window with this id; null with the errors of each field when something is refused. */
export function readWindow(values: WindowValues, id: string): { window: Maintenance | null; errors: WindowErrors } {
  const { kind, at, days, day } = values;
  const minutes = Number(values.minutes);
  const nth = Number(values.nth);
  const when =
    kind === "once"
      ? { kind, from: values.from, to: values.to }
      : kind === "daily"
        ? { kind, at, minutes }
        : kind === "weekly"
          ? { kind, at, minutes, days: weekdays.filter((one) => days.includes(one)) }
          : { kind, at, minutes, nth, day };
  const recurs = kind !== "once";
  const read = maintenanceSchema.safeParse({
    id,
    name: values.name,
    match: values.match,
    zone: values.zone,
    when,
    validFrom: recurs && values.validFrom !== "" ? values.validFrom : null,
    validUntil: recurs && values.validUntil !== "" ? values.validUntil : null,
    note: values.note,
  });
  if (values.match === "")
    return {
      window: null,
      errors: {
        ...(read.success ? {} : errorsOf(read.error.issues, values)),
        match: "An empty filter would cover every machine. Use e.g. site:Berlin, or name:* where all are meant.",
      },
    };
  return read.success
    ? { window: read.data, errors: {} }
    : { window: null, errors: errorsOf(read.error.issues, values) };
}

const fieldNames = Object.keys(emptyWindow("UTC")) as (keyof WindowValues)[];

function errorsOf(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
  values: WindowValues,
): WindowErrors {
  const errors: WindowErrors = {};
  for (const { path, message } of issues) {
    const [first, second] = path;
    const named = fieldNames.find((name) => name === (first === "when" ? second : first)) ?? "form";
    errors[named] ??= (named === "name" && values.name !== "" ? undefined : missing[named]) ?? `${message}.`;
  }
  return errors;
}

/** What the whole configuration says against a window, beside its fields; what is about another part stands below. */
export function windowProblems(problems: readonly AlertingProblem[], index: number): WindowErrors {
  const own = `maintenance.${index}.`;
  const errors: WindowErrors = {};
  for (const { path, message } of problems) {
    const last = path.startsWith(own) ? path.slice(own.length).split(".").at(-1) : undefined;
    const named = fieldNames.find((name) => name === last) ?? "form";
    errors[named] ??= named === "form" && !path.startsWith(own) ? `${path}: ${message}.` : `${message}.`;
  }
  return errors;
}

/** A window's name as an id that none has yet: "Berlin, Sunday" is `berlin-sunday`, the second one `berlin-sunday-2`. */
export function newId(name: string, taken: readonly string[]): string {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 56)
    .replace(/-+$/, "");
  const id = plain === "" ? "window" : plain;
  if (!taken.includes(id)) return id;
  for (let n = 2; ; n++) if (!taken.includes(`${id}-${n}`)) return `${id}-${n}`;
}
