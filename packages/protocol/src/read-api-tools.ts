import * as z from "zod";
import { targetIdSchema } from "./facts.ts";
import { limits } from "./limits.ts";
import { machineIdSchema } from "./messages.ts";
import { machineStatusSchema, patternIdSchema, verdictSchema } from "./names.ts";
import { isoTimeSchema } from "./read-api.ts";

/*
 * The read API of the tools that end arguments: canary, verify fix, helpdesk reports, ticket text. Same border as
 * `read-api.ts`: what the dashboard, the API and its clients read and send.
 */

const rate = z.number().min(0).max(1).nullable();

// Canary: proposed proxy settings, judged before they are rolled out.

/** Characters of a proposed script: more than any script in use, and small enough to store with its run. */
export const maxScriptChars = 256 * 1024;

function isScriptUrl(text: string): boolean {
  try {
    const { protocol, username, password, hostname } = new URL(text);
    return /^https?:$/.test(protocol) && username === "" && password === "" && hostname !== "";
  } catch {
    return false;
  }
}

/**
 * Proposed settings in the terms of Windows' dialog: each way that is on is tried in the order of domain 4.6 (detect,
 * script, manual with its bypass list, direct). All off is "no proxy".
 */
export const proposalSchema = z.strictObject({
  autoDetect: z.boolean().default(false),
  pac: z
    .discriminatedUnion("from", [
      z.strictObject({ from: z.literal("text"), text: z.string().min(1).max(maxScriptChars) }),
      /** http or https, fetched once by the collector; no userinfo. */
      z.strictObject({
        from: z.literal("url"),
        url: z
          .string()
          .max(limits.urlChars)
          .refine(
            isScriptUrl,
            "a script is fetched by http or https, without a login; such as http://pac.contoso.com/new.pac",
          ),
      }),
    ])
    .nullable()
    .default(null),
  /** A ProxyServer value, such as `px2.contoso.com:8080` or `https=px2.contoso.com:8080`. */
  server: z
    .string()
    .max(limits.listTextChars)
    .refine((server) => !server.includes("@"), "a login is no part of a proxy; use e.g. px2.contoso.com:8080")
    .nullable()
    .default(null),
  /** ProxyOverride: in force beside `server` alone. */
  bypass: z.string().max(limits.listTextChars).default(""),
});
export type Proposal = z.infer<typeof proposalSchema>;

export const newCanarySchema = z.strictObject({
  title: z.string().trim().min(1).max(200),
  proposal: proposalSchema,
  /** Which machines: a filter as in the machines table; empty = all. */
  q: z.string().max(2048).default(""),
  site: z.string().max(200).nullable().default(null),
  /** Machines that are to probe the routes they would get, as far as they are connected; none by default. */
  probe: z.array(machineIdSchema).max(limits.canaryProbes).default([]),
});
export type NewCanary = z.infer<typeof newCanarySchema>;

/**
 * What the proposal does to one machine, or to one target of it.
 * `same`: no route changes. `moves`: another route, which is known to work. `breaks`: would be bad, and is not now as far
 * as is known.
 * `repairs`: is bad now, would work. `stays-bad`: another route, and bad as before. `cannot-tell`: another route of
 * which nothing is known.
 */
export const canaryEffects = ["same", "moves", "breaks", "repairs", "stays-bad", "cannot-tell"] as const;
export const canaryEffectSchema = z.enum(canaryEffects);
export type CanaryEffect = z.infer<typeof canaryEffectSchema>;

/** How a verdict of the proposed route is known, best first. */
export const canaryBases = ["probed", "own-route", "own-direct", "peers", "none"] as const;
export const canaryBasisSchema = z.enum(canaryBases);

export const canaryStates = ["queued", "evaluating", "probing", "done", "failed", "cancelled"] as const;
export const canaryStateSchema = z.enum(canaryStates);
export type CanaryState = z.infer<typeof canaryStateSchema>;

export const canarySchema = z.object({
  id: z.uuid(),
  title: z.string(),
  createdAt: isoTimeSchema,
  createdBy: z.string(),
  finishedAt: isoTimeSchema.nullable(),
  state: canaryStateSchema,
  /** Why it failed, or why a part of it cannot be told; null when there is nothing to say. */
  reason: z.string().nullable(),
  /** As proposed, secrets removed; the script's text is not repeated. */
  proposal: z.object({
    autoDetect: z.boolean(),
    pac: z
      .object({ from: z.enum(["text", "url"]), url: z.string().nullable(), sha256: z.string().nullable() })
      .nullable(),
    server: z.string().nullable(),
    bypass: z.string(),
  }),
  q: z.string(),
  site: z.string().nullable(),
  /** Machines to evaluate; null until they are counted. */
  machines: z.number().int().nullable(),
  evaluated: z.number().int(),
  effects: z.record(canaryEffectSchema, z.number().int()),
  probes: z.object({
    asked: z.number().int(),
    answered: z.number().int(),
    /** Did not answer in time, are not connected, or cannot (an agent that is too old). */
    missing: z.number().int(),
  }),
});
export type Canary = z.infer<typeof canarySchema>;

export const canaryTargetSchema = z.object({
  target: targetIdSchema,
  service: z.string(),
  host: z.string(),
  port: z.number().int().nullable(),
  /** Users of the configuration that this stands for; 0 when nobody is signed in. */
  users: z.number().int(),
  effect: canaryEffectSchema,
  before: z.object({ route: z.string().nullable(), verdict: verdictSchema.nullable() }),
  after: z.object({
    route: z.string().nullable(),
    verdict: verdictSchema.nullable(),
    basis: canaryBasisSchema,
    /** Steps that fall through, scripts that fail, peers that contradict each other: half a sentence each. */
    notes: z.array(z.string().max(256)).max(4),
  }),
});
export type CanaryTarget = z.infer<typeof canaryTargetSchema>;

export const canaryProbeStates = ["none", "queued", "sent", "done", "refused", "expired"] as const;
export const canaryProbeStateSchema = z.enum(canaryProbeStates);

export const canaryMachineSchema = z.object({
  machineId: machineIdSchema,
  hostname: z.string(),
  site: z.string().nullable(),
  simulated: z.boolean(),
  effect: canaryEffectSchema,
  /** Targets whose effect is not `same`, required ones first. */
  targets: z.array(canaryTargetSchema),
  probe: z.object({ state: canaryProbeStateSchema, reason: z.string().nullable() }),
});
export type CanaryMachine = z.infer<typeof canaryMachineSchema>;

// Verify fix: a cohort, probed again.

export const newVerificationSchema = z
  .strictObject({
    pattern: patternIdSchema.nullable().default(null),
    /** The incident's cause text, with its pattern. */
    cause: z.string().max(256).nullable().default(null),
    /** A shared cause of the fleet, by its id: those who are in it now. */
    causeId: z.uuid().nullable().default(null),
    q: z.string().max(2048).default(""),
    site: z.string().max(200).nullable().default(null),
  })
  .refine(({ pattern, causeId, q }) => pattern !== null || causeId !== null || q.trim() !== "", {
    message: "a cohort is missing: give a pattern, such as proxy-auth-required, or a filter, such as status:failing",
  });
export type NewVerification = z.infer<typeof newVerificationSchema>;

/**
 * Where one machine of the cohort stands. `waiting`: for its turn, or to be connected. `asked`: probes now.
 * `fixed`: nothing of it any more. `still`: as before. `other`: the cause is gone, and it fails for another one.
 * `cannot-tell`: probed, and the facts allow no verdict. `unreachable`: did not answer in time.
 */
export const verificationMachineStates = [
  "waiting",
  "asked",
  "fixed",
  "still",
  "other",
  "cannot-tell",
  "unreachable",
] as const;
export const verificationMachineStateSchema = z.enum(verificationMachineStates);
export type VerificationMachineState = z.infer<typeof verificationMachineStateSchema>;

export const verificationSchema = z.object({
  id: z.uuid(),
  createdAt: isoTimeSchema,
  createdBy: z.string(),
  finishedAt: isoTimeSchema.nullable(),
  state: z.enum(["running", "done", "cancelled"]),
  pattern: patternIdSchema.nullable(),
  cause: z.string().nullable(),
  causeId: z.uuid().nullable(),
  q: z.string(),
  site: z.string().nullable(),
  machines: z.number().int(),
  /** They add up to `machines`. What is left of the cohort is all but `fixed` and `other`: "347 → 3". */
  counts: z.record(verificationMachineStateSchema, z.number().int()),
  /** Those not known to be rid of it: all but `fixed` and `other`. */
  remaining: z.number().int(),
  /** Machines asked per second, so that Exchange sees no more requests than the fleet's budget allows; null until the first. */
  machinesPerSecond: z.number().nullable(),
  /** When those that have not answered by then are given up. */
  deadline: isoTimeSchema,
});
export type Verification = z.infer<typeof verificationSchema>;

export const verificationMachineSchema = z.object({
  machineId: machineIdSchema,
  hostname: z.string(),
  site: z.string().nullable(),
  state: verificationMachineStateSchema,
  /** Null where the machine has not been judged since. */
  status: machineStatusSchema.nullable(),
  primaryPattern: patternIdSchema.nullable(),
  connected: z.boolean(),
  askedAt: isoTimeSchema.nullable(),
  settledAt: isoTimeSchema.nullable(),
});
export type VerificationMachine = z.infer<typeof verificationMachineSchema>;

// Helpdesk reports: what people saw.

export const newReportSchema = z.strictObject({
  /** The user as the helpdesk names them: stored as given, shown to who may see the machine, never sent to agents. */
  user: z.string().trim().min(1).max(64),
  /** When it was seen; now when absent. */
  at: isoTimeSchema.optional(),
  /** False: a person looked, and there was no prompt. It counts against a pattern that said otherwise. */
  prompted: z.boolean().default(true),
  /** The cause, where somebody established it without this product's help. */
  pattern: patternIdSchema.nullable().default(null),
  note: z.string().trim().max(500).default(""),
});
export type NewReport = z.infer<typeof newReportSchema>;

export const machineReportSchema = z.object({
  id: z.uuid(),
  machineId: machineIdSchema,
  hostname: z.string(),
  user: z.string(),
  at: isoTimeSchema,
  prompted: z.boolean(),
  pattern: patternIdSchema.nullable(),
  note: z.string(),
  createdAt: isoTimeSchema,
  createdBy: z.string(),
  /** Patterns that were raised on the machine at that moment and make prompts expected, primary first. */
  raised: z.array(patternIdSchema),
});
export type MachineReport = z.infer<typeof machineReportSchema>;

/** A proportion with what it is of. `low` and `high` are Wilson's 95 % interval; all three null when `of` is 0. */
export const proportionSchema = z.object({
  hits: z.number().int(),
  of: z.number().int(),
  share: rate,
  low: rate,
  high: rate,
  /** Fewer than twenty: show the counts, not the share. */
  few: z.boolean(),
});
export type Proportion = z.infer<typeof proportionSchema>;

export const patternAccuracySchema = z.object({
  pattern: patternIdSchema,
  /** Of the reports at which it was raised: those where a prompt was seen and no other cause established. */
  precision: proportionSchema,
  /**
   * Of the prompts that were its own, or that nothing explained: those at which it was raised. A prompt that nothing
   * explained may have been any pattern's, so it counts against all of them: the least that the recall can be.
   */
  recall: proportionSchema,
});
export type PatternAccuracy = z.infer<typeof patternAccuracySchema>;

export const accuracySchema = z.object({
  since: isoTimeSchema,
  asOf: isoTimeSchema,
  reports: z.number().int(),
  prompts: z.number().int(),
  noPrompts: z.number().int(),
  /** Prompts at which some pattern that makes prompts expected was raised. */
  explained: proportionSchema,
  patterns: z.array(patternAccuracySchema),
});
export type Accuracy = z.infer<typeof accuracySchema>;

// Ticket text.

export const ticketSchema = z.object({
  text: z.string(),
  markdown: z.string(),
});
export type Ticket = z.infer<typeof ticketSchema>;
