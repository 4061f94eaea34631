import * as z from "zod";
import { isWholeFleet, type Scope, scopeText } from "./access.ts";
import {
  type CountQuery,
  countGroups,
  countProblem,
  countStatuses,
  seriesLimits,
  targetGroups,
  targetMeasures,
} from "./counts.ts";
import { locationSchema, patternIdSchema, serviceSchema } from "./names.ts";
import { isoTimeSchema } from "./read-api.ts";

/*
 * Figures over time, as `/api/v1` and its live feed give them. A series lies on a regular grid, so that its times need not
 * be written: value `i` is of `start + i * stepSeconds`. Null is "not observed", which is a gap and never zero.
 */

/** One or several values of a query parameter that may be repeated. */
const several = <T extends z.ZodType<string>>(item: T) =>
  z
    .union([item, z.array(item).max(seriesLimits.values)])
    .transform((given): z.output<T>[] => (Array.isArray(given) ? given : [given]))
    .optional();

const span = {
  since: isoTimeSchema.optional().describe("Six hours before `until` when absent"),
  until: isoTimeSchema.optional().describe("Now when absent"),
  step: z.coerce
    .number()
    .int()
    .min(60)
    .max(7 * 86_400)
    .default(300)
    .describe("Seconds between two points; made longer where there would be too many"),
};
const seriesCount = z.coerce.number().int().min(1).max(seriesLimits.series).default(20);

export const severalSites = several(z.string().min(1).max(200));

/** What machines are counted, and by what the count is divided. */
export const countQueryShape = {
  by: z.enum(countGroups).default("none").describe("What the count is divided by"),
  status: several(z.enum(countStatuses)).describe("Failing machines when absent; by status: the four states"),
  site: severalSites.describe("Only machines of these sites"),
  pattern: several(patternIdSchema).describe("Only machines with one of these primary findings, failing or at risk"),
  proxy: several(z.string().min(1).max(320)).describe("Only machines whose EWS goes this way: host:port, direct, …"),
  series: seriesCount.describe("Most series; those with most machines"),
};
const countQueryObject = z.object(countQueryShape);

const checked = <T extends z.ZodType<Omit<CountQuery, "series">>>(schema: T) =>
  schema.superRefine((query, context) => {
    const message = countProblem(query);
    if (message !== null) context.addIssue({ code: "custom", message });
  });
export const countQuerySchema = checked(countQueryObject);
export const countHistoryQuerySchema = checked(z.object({ ...countQueryShape, ...span }));
export type CountHistoryQuery = z.output<typeof countHistoryQuerySchema>;

/**
 * Which sites' figures are read: those that were asked for, or all in view; null: the fleet as a whole. Figures over time are
 * kept for the fleet and for each site, so that there are none of machines with a tag. The problem says so in words.
 */
export function sitesInView(
  scope: Scope,
  asked: readonly string[] | undefined,
): { sites: readonly string[] | null; problem: null } | { sites: null; problem: string } {
  if (isWholeFleet(scope)) return { sites: asked ?? null, problem: null };
  const own = scope.sites ?? [];
  const outside = asked?.find((name) => !own.includes(name));
  if (outside !== undefined)
    return { sites: null, problem: `site "${outside}" is not in what this access sees: ${scopeText(scope)}` };
  if (asked === undefined && scope.tags?.length)
    return {
      sites: null,
      problem: `figures over time are kept for sites, and this access sees ${scopeText(scope)}; ${own.length > 0 ? `name sites, e.g. site=${own[0]}` : "ask for the machines of now, e.g. q=status:failing"}`,
    };
  return { sites: asked ?? own, problem: null };
}

export const targetHistoryQuerySchema = z.object({
  measure: z
    .enum(targetMeasures)
    .default("availability")
    .describe("Share of good answers among those that say something; time of good answers; how many of each"),
  by: z.enum(targetGroups).default("target").describe("What the figures are divided by"),
  target: several(z.string().min(1).max(128)).describe("Ids of /targets; all when absent"),
  site: severalSites,
  via: z
    .enum(["configured", "direct"])
    .default("configured")
    .describe("The route that the settings give, or past every proxy"),
  quantile: several(z.enum(["0.5", "0.75", "0.9", "0.95", "0.99"])).describe("Of the latency; 0.5 when absent"),
  simulated: z
    .enum(["true", "false"])
    .transform((value) => value === "true")
    .optional()
    .describe("Simulated machines, or real ones; both when absent"),
  series: seriesCount,
  ...span,
});
export type TargetHistoryQuery = z.output<typeof targetHistoryQuerySchema>;

/** One line of a chart. */
export const seriesSchema = z.object({
  /** What tells it from the others: `{ site: "Bern" }`, `{ target: "ews", quantile: "0.95" }`; empty for the only one. */
  labels: z.record(z.string(), z.string()),
  values: z.array(z.number().nullable()),
});
export type Series = z.infer<typeof seriesSchema>;

export const seriesAnswerSchema = z.object({
  asOf: isoTimeSchema,
  start: isoTimeSchema,
  stepSeconds: z.number().int(),
  points: z.number().int(),
  unit: z.enum(["machines", "ratio", "milliseconds", "answers"]),
  /** What a point stands for, ready to show. */
  note: z.string(),
  series: z.array(seriesSchema),
  /** Series that `series` left out. */
  left: z.number().int(),
});
export type SeriesAnswer = z.infer<typeof seriesAnswerSchema>;

/** A target of the policy in force, for pickers. */
export const targetRefSchema = z.object({
  id: z.string(),
  service: serviceSchema,
  host: z.string(),
  port: z.number().int().nullable(),
  /** Whether a machine fails when its group is bad. */
  required: z.boolean(),
  locations: z.array(locationSchema),
});
export type TargetRef = z.infer<typeof targetRefSchema>;

/** A value that a field of the filter language has, with the machines that have it; null: they are not counted. */
export const fieldValueSchema = z.object({ value: z.string(), machines: z.number().int().nullable() });
export type FieldValue = z.infer<typeof fieldValueSchema>;

/** Who answers, and what the token that asked may read: what a client checks before it asks anything else. */
export const aboutSchema = z.object({
  product: z.literal("lynceus"),
  version: z.string(),
  /** Raised when something that clients rely on is no longer there. */
  apiVersion: z.number().int(),
  now: isoTimeSchema,
  /** Where the dashboard is, for links; null when the collector was not told. */
  dashboardUrl: z.string().nullable(),
  token: z.object({
    label: z.string(),
    scopes: z.array(z.string()),
    /** The part of the fleet that it sees, in words. */
    sees: z.string(),
    expiresAt: isoTimeSchema.nullable(),
  }),
});
export type About = z.infer<typeof aboutSchema>;
