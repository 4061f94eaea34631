import * as z from "zod";
import { type AlertFilterUse, alertFilterProblem } from "./alert-filter.ts";
import { connectionSchema, receiverSchema } from "./receivers.ts";

/*
 * Who is told of incidents, when and how: all that an admin sets, as one document. It is stored as numbered versions,
 * edited piecewise by dashboard and API, exported and imported as one YAML file. Secrets of receivers are not in it.
 */

/** Ids that people write in YAML and in links: `ops-pager`. */
export const alertIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
  error: ({ input }) => `${shown(input)} is no id: lower-case letters, digits and hyphens; use e.g. ops-pager`,
});
const name = z.string().trim().min(1).max(120);

/** A value as an error names it. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

const isZone = (zone: string): boolean => {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    // Offsets such as +01:00 are zones of Intl too, and know no summer time.
    return /^[A-Za-z]/.test(zone);
  } catch {
    return false;
  }
};
/** IANA name of a time zone. */
export const zoneSchema = z.string().refine(isZone, {
  error: ({ input }) => `${shown(input)} is no time zone of the IANA database; use e.g. Europe/Berlin`,
});

/** Time of a day on a zone's own clock. */
export const clockTimeSchema = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, {
  error: ({ input }) => `${shown(input)} is no time of a day in 24 hours; use e.g. 09:00`,
});

const isDate = (text: string): boolean => {
  const at = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text.slice(0, 10));
};
/** A moment on a zone's own clock. One that is left out when the clocks go forward means the moment an hour later. */
export const wallTimeSchema = z
  .string()
  .refine((text) => /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d$/.test(text) && isDate(text), {
    error: ({ input }) => `${shown(input)} is no date with a time, without zone; use e.g. 2026-12-01T09:00`,
  });
export const dateSchema = z.string().refine((text) => /^\d{4}-\d\d-\d\d$/.test(text) && isDate(text), {
  error: ({ input }) => `${shown(input)} is no date; use e.g. 2026-12-01`,
});

export const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export const weekdaySchema = z.enum(weekdays);
export type Weekday = z.infer<typeof weekdaySchema>;
const days = z.array(weekdaySchema).min(1).max(7);

/** A filter of the one language (`filter.ts`), with the fields that this use of it has. Empty: everything. */
const filter = (use: AlertFilterUse) =>
  z
    .string()
    .max(512)
    .superRefine((text, context) => {
      const problem = alertFilterProblem(text, use);
      if (problem !== null) context.addIssue({ code: "custom", message: problem });
    });

/** Hours of a week on a zone's own clock. From 22:00 to 07:00 ends on the next day; equal times are a whole day. */
export const hoursSchema = z.strictObject({
  zone: zoneSchema,
  days: days.default([...weekdays]),
  from: clockTimeSchema,
  to: clockTimeSchema,
});
export type Hours = z.infer<typeof hoursSchema>;

/** Somebody who can be told. */
export const personSchema = z.strictObject({
  id: alertIdSchema,
  name,
  /** The address that they sign in with: an acknowledgement in the dashboard is then theirs. */
  email: z.email().max(254).nullable().default(null),
  /** All of them are told at once. */
  receivers: z.array(alertIdSchema).min(1).max(8),
});
export type Person = z.infer<typeof personSchema>;

/** People who take turns. The first hand-over is at `start`; each later one at the same time of day and, by weeks, weekday. */
export const layerSchema = z.strictObject({
  people: z.array(alertIdSchema).min(1).max(64),
  start: wallTimeSchema,
  turn: z.strictObject({ every: z.int().min(1).max(52), unit: z.enum(["hour", "day", "week"]) }),
  /** Only in these hours; always where there are none. */
  hours: z
    .array(hoursSchema.omit({ zone: true }))
    .max(14)
    .default([]),
});
export type Layer = z.infer<typeof layerSchema>;

/** Who is on call. The first layer that has somebody at a moment decides; an override goes before all layers. */
export const scheduleSchema = z.strictObject({
  id: alertIdSchema,
  name,
  zone: zoneSchema,
  layers: z.array(layerSchema).min(1).max(8),
  overrides: z
    .array(z.strictObject({ from: wallTimeSchema, to: wallTimeSchema, person: alertIdSchema }))
    .max(200)
    .default([]),
});
export type Schedule = z.infer<typeof scheduleSchema>;

export const targetSchema = z.union([
  z.strictObject({ person: alertIdSchema }),
  z.strictObject({ schedule: alertIdSchema }),
  z.strictObject({ receiver: alertIdSchema }),
]);
export type EscalationTarget = z.infer<typeof targetSchema>;

/** One after the other, until somebody acknowledges. */
export const escalationSchema = z.strictObject({
  id: alertIdSchema,
  name,
  steps: z
    .array(
      z.strictObject({
        targets: z.array(targetSchema).min(1).max(16),
        /** How long this step may take to acknowledge. */
        minutes: z.int().min(1).max(1440),
      }),
    )
    .min(1)
    .max(10),
  /** How often all steps are gone through again. */
  repeat: z.int().min(0).max(9).default(1),
});
export type Escalation = z.infer<typeof escalationSchema>;

/** Which incidents go to whom. The first that matches, and those after it as long as they `continue`. */
export const routeSchema = z.strictObject({
  id: alertIdSchema,
  name,
  /**
   * Matches where one machine of the incident fits all of it. Simulated machines match only where it says
   * `simulated:yes`.
   */
  match: filter("route").default(""),
  receivers: z.array(alertIdSchema).max(16).default([]),
  escalation: alertIdSchema.nullable().default(null),
  continue: z.boolean().default(false),
  /** Incidents of one group are told together. `cause`: each by itself. */
  groupBy: z.enum(["cause", "site", "pattern", "route"]).default("cause"),
  /** From the opening to the first notice: what belongs together arrives meanwhile. */
  groupWaitSeconds: z.int().min(0).max(3600).default(8),
  /** Between two notices of one group, reminders and escalations aside. */
  groupIntervalMinutes: z.number().min(0.1).max(1440).default(5),
  /** An incident that nobody acknowledged is told again; 0 = never. */
  repeatHours: z.number().min(0).max(168).default(4),
  sendAcknowledged: z.boolean().default(true),
  sendResolved: z.boolean().default(true),
  /** Low urgency waits for their end. */
  quietHours: hoursSchema.nullable().default(null),
});
export type Route = z.infer<typeof routeSchema>;

/** When a maintenance window is. `minutes` is its length in real time. */
export const windowSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("once"), from: wallTimeSchema, to: wallTimeSchema }),
  z.strictObject({ kind: z.literal("daily"), at: clockTimeSchema, minutes: z.int().min(1).max(1440) }),
  z.strictObject({ kind: z.literal("weekly"), days, at: clockTimeSchema, minutes: z.int().min(1).max(10_080) }),
  z.strictObject({
    kind: z.literal("monthly"),
    /** 1 = the first such weekday of a month, −1 = the last. */
    nth: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(-1)]),
    day: weekdaySchema,
    at: clockTimeSchema,
    minutes: z.int().min(1).max(10_080),
  }),
]);
export type Window = z.infer<typeof windowSchema>;

/** Nobody is told of its machines while it lasts; at its end only what is then. */
export const maintenanceSchema = z.strictObject({
  id: alertIdSchema,
  name,
  match: filter("machine").default(""),
  zone: zoneSchema,
  when: windowSchema,
  /** First and last day of a recurring window. */
  validFrom: dateSchema.nullable().default(null),
  validUntil: dateSchema.nullable().default(null),
  note: z.string().max(500).default(""),
});
export type Maintenance = z.infer<typeof maintenanceSchema>;

/** While an incident of the first kind is open, incidents of the second are shown and nobody is told of them. */
export const inhibitionSchema = z.strictObject({
  id: alertIdSchema,
  name,
  /** The incident that explains others. */
  source: filter("incident"),
  /** The incidents that it explains. */
  target: filter("incident").default(""),
  /** What both must have in common. `site`: all sites of the target are among the source's. */
  same: z
    .array(z.enum(["location", "site"]))
    .max(2)
    .default(["location"]),
});
export type Inhibition = z.infer<typeof inhibitionSchema>;

const settingsShape = {
  /** Machines of one cause that make an incident; one with an important tag does it alone. */
  openMachines: z.int().min(1).max(1000).default(2),
  /** Urgency is high from so many machines on, … */
  highMachines: z.int().min(1).max(100_000).default(5),
  /** … or from this share of a site's reporting machines on, where they are at least `highShareMachines`. */
  highSharePercent: z.number().min(1).max(100).default(20),
  highShareMachines: z.int().min(1).max(1000).default(3),
  /** Of a site that fell silent. */
  silentSiteUrgency: z.enum(["high", "low"]).default("high"),
  /** No member failed for so long: resolved. */
  resolveHoldMinutes: z.number().min(0).max(1440).default(5),
  /** What comes back so soon is the same incident. */
  reopenMinutes: z.number().min(0).max(1440).default(30),
  /** Members that no longer share a cause for so long are incidents of their own. */
  splitHoldSeconds: z.int().min(0).max(3600).default(60),
  /** It came so often within an hour: flapping, … */
  flapOpenings: z.int().min(2).max(20).default(3),
  /** … until it was steady for so long. */
  flapSteadyMinutes: z.number().min(1).max(1440).default(30),
  /** Told again when it has so many times the machines it was last told with. */
  growFactor: z.number().min(1.1).max(100).default(4),
  /** After an acknowledgement nobody is reminded for so long. */
  acknowledgeMinutes: z.int().min(1).max(10_080).default(60),
  /** Members that fell silent keep an incident open for so long; then it is closed as not verified. */
  unverifiedHours: z.number().min(1).max(720).default(24),
  /** Told when another receiver could not be reached, or nobody is on call: the first that works. */
  fallback: z.array(alertIdSchema).max(8).default([]),
  /**
   * A dead man's switch: its address, which is a secret, is asked (GET) after each good turn, at most once a minute.
   * Whoever watches it notices that we are gone.
   */
  heartbeat: z
    .strictObject({ connection: connectionSchema.prefault({}) })
    .nullable()
    .default(null),
  /** Told when settings, scripts or certificates change on at least so many machines. */
  changeReceivers: z.array(alertIdSchema).max(8).default([]),
  changeMachines: z.int().min(1).max(100_000).default(10),
};
/** Under this name, which no receiver can have, stands the secret of the heartbeat: `url`. */
export const heartbeatSecrets = "-heartbeat";
export const alertSettingsSchema = z.strictObject(settingsShape);
export type AlertSettings = z.infer<typeof alertSettingsSchema>;

const configShape = z.strictObject({
  receivers: z.array(receiverSchema).max(200).default([]),
  people: z.array(personSchema).max(500).default([]),
  schedules: z.array(scheduleSchema).max(100).default([]),
  escalations: z.array(escalationSchema).max(100).default([]),
  routes: z.array(routeSchema).max(200).default([]),
  maintenance: z.array(maintenanceSchema).max(500).default([]),
  inhibitions: z.array(inhibitionSchema).max(100).default([]),
  /** One machine with such a tag is enough for an incident, and for high urgency. */
  importantTags: z.array(z.string().min(1).max(64)).max(32).default([]),
  settings: alertSettingsSchema.prefault({}),
});

type Draft = z.infer<typeof configShape>;
type Issue = (path: (string | number)[], message: string) => void;

const listed = (ids: ReadonlySet<string>): string =>
  ids.size === 0 ? "there is none yet" : `there are ${[...ids].slice(0, 8).join(", ")}${ids.size > 8 ? ", …" : ""}`;

/** Two of a kind with one id, and ids that name nothing. */
function checkReferences(config: Draft, issue: Issue): void {
  const kinds = ["receivers", "people", "schedules", "escalations", "routes", "maintenance", "inhibitions"] as const;
  const ids = Object.fromEntries(kinds.map((kind) => [kind, new Set<string>()])) as Record<
    (typeof kinds)[number],
    Set<string>
  >;
  for (const kind of kinds)
    for (const [index, { id }] of config[kind].entries()) {
      if (ids[kind].has(id))
        issue([kind, index, "id"], `"${id}" is there twice; an id names one of ${kind}, e.g. ${id}-2`);
      ids[kind].add(id);
    }
  const known = (kind: (typeof kinds)[number], id: string, path: (string | number)[]) => {
    if (!ids[kind].has(id)) issue(path, `"${id}" names none of ${kind}; ${listed(ids[kind])}`);
  };
  const all = (kind: (typeof kinds)[number], list: readonly string[], path: (string | number)[]) => {
    for (const [index, id] of list.entries()) known(kind, id, [...path, index]);
  };
  for (const [i, person] of config.people.entries()) all("receivers", person.receivers, ["people", i, "receivers"]);
  for (const [i, { layers, overrides }] of config.schedules.entries()) {
    for (const [j, { people }] of layers.entries()) all("people", people, ["schedules", i, "layers", j, "people"]);
    for (const [j, { person, from, to }] of overrides.entries()) {
      known("people", person, ["schedules", i, "overrides", j, "person"]);
      if (from >= to) issue(["schedules", i, "overrides", j, "to"], `"${to}" is not after "${from}"`);
    }
  }
  for (const [i, { steps }] of config.escalations.entries())
    for (const [j, { targets }] of steps.entries())
      for (const [k, target] of targets.entries()) {
        const path = ["escalations", i, "steps", j, "targets", k];
        if ("person" in target) known("people", target.person, [...path, "person"]);
        else if ("schedule" in target) known("schedules", target.schedule, [...path, "schedule"]);
        else known("receivers", target.receiver, [...path, "receiver"]);
      }
  for (const [i, { receivers, escalation }] of config.routes.entries()) {
    all("receivers", receivers, ["routes", i, "receivers"]);
    if (escalation !== null) known("escalations", escalation, ["routes", i, "escalation"]);
  }
  all("receivers", config.settings.fallback, ["settings", "fallback"]);
  all("receivers", config.settings.changeReceivers, ["settings", "changeReceivers"]);
}

/** Windows that never are. */
function checkWindows(config: Draft, issue: Issue): void {
  for (const [i, { when, validFrom, validUntil }] of config.maintenance.entries()) {
    if (when.kind === "once" && when.from >= when.to)
      issue(["maintenance", i, "when", "to"], `"${when.to}" is not after "${when.from}"`);
    if (validFrom !== null && validUntil !== null && validFrom > validUntil)
      issue(["maintenance", i, "validUntil"], `"${validUntil}" is before "${validFrom}"`);
  }
}

/** The whole configuration. Defaults are filled in; errors name the value, the rule and an example. */
export const alertingConfigSchema = configShape.superRefine((config, context) => {
  const issue: Issue = (path, message) => context.addIssue({ code: "custom", path, message });
  checkReferences(config, issue);
  checkWindows(config, issue);
});
export type AlertingConfig = z.infer<typeof alertingConfigSchema>;

export interface AlertingProblem {
  /** `routes.2.receivers.0`. */
  readonly path: string;
  /** The value, the rule, an example. */
  readonly message: string;
}

/** Reads a configuration of unknown origin: the configuration, or everything that is wrong with it. */
export function parseAlerting(
  input: unknown,
):
  | { readonly config: AlertingConfig; readonly problems: [] }
  | { readonly config: null; readonly problems: AlertingProblem[] } {
  const result = alertingConfigSchema.safeParse(input);
  if (result.success) return { config: result.data, problems: [] };
  return {
    config: null,
    problems: result.error.issues.slice(0, 100).map(({ path, message }) => ({ path: path.join("."), message })),
  };
}

/**
 * What a new installation has: incidents appear in the dashboard, a route for each kind stands ready, and nobody is told
 * of anything until an admin adds receivers.
 */
export const defaultAlerting: AlertingConfig = alertingConfigSchema.parse({
  routes: [
    { id: "monitoring", name: "Sites that fell silent, to the owners of monitoring", match: "pattern:fleet-blind" },
    { id: "on-call", name: "Everything else, to the people on call" },
  ],
  inhibitions: [
    { id: "exchange-down", name: "Exchange is down for everyone", source: "primary:fleet-ews-down" },
    {
      id: "site-outage",
      name: "A site cannot reach Exchange",
      source: "primary:fleet-site-outage",
      same: ["location", "site"],
    },
  ],
} satisfies z.input<typeof configShape>);
