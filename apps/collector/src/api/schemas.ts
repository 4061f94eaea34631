import { type FilterTerm, parseFilter } from "@lynceus/protocol/filter";
import { locationSchema, verdictSchema } from "@lynceus/protocol/names";
import { isoTimeSchema } from "@lynceus/protocol/read-api";
import * as z from "zod";
import { ApiProblem } from "./errors.ts";

export const cursorQuery = {
  /** `nextCursor` of the page before. */
  cursor: z.string().max(2048).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
};
/** Of a document that is kept by version. */
export const versionParams = z.object({
  version: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1),
});
export const idParams = z.object({ id: z.uuid() });

/** Rows of the database carry Dates; the border has ISO 8601. */
export const iso = (at: Date): string => at.toISOString();
export const isoOrNull = (at: Date | null): string | null => at?.toISOString() ?? null;

export const observationSchema = z.object({
  machineId: z.uuid(),
  epoch: z.uuid(),
  seq: z.number().int(),
  kind: z.string(),
  key: z.string(),
  observedAt: isoTimeSchema,
  receivedAt: isoTimeSchema,
  location: locationSchema.or(z.string()),
  digest: z.string(),
  verdict: verdictSchema.nullable(),
  raw: z.boolean(),
  replayed: z.boolean(),
  facts: z.unknown(),
});

export const commandSchema = z.object({
  id: z.uuid(),
  machineId: z.uuid(),
  command: z.string(),
  state: z.enum(["queued", "sent", "started", "progress", "done", "refused", "expired"]),
  done: z.number().int(),
  total: z.number().int(),
  reason: z.string().nullable(),
  createdAt: isoTimeSchema,
  createdBy: z.string(),
  updatedAt: isoTimeSchema,
});

export const enrollmentTokenSchema = z.object({
  id: z.uuid(),
  label: z.string(),
  site: z.string().nullable(),
  tags: z.array(z.string()),
  maxUses: z.number().int(),
  uses: z.number().int(),
  expiresAt: isoTimeSchema,
  needsApproval: z.boolean(),
  createdAt: isoTimeSchema,
  createdBy: z.string(),
  revokedAt: isoTimeSchema.nullable(),
});

export const newEnrollmentTokenSchema = z.object({
  label: z.string().max(200).default(""),
  site: z.string().max(200).nullable().default(null),
  tags: z.array(z.string().min(1).max(64)).max(32).default([]),
  maxUses: z.number().int().min(1).max(1_000_000).default(1),
  /** From now; at most a year. */
  expiresInMinutes: z.number().int().min(1).max(525_600).default(1440),
  needsApproval: z.boolean().default(false),
});

/** The terms of a filter text. @throws ApiProblem 400 that says where it cannot be read. */
export function termsOf(q: string | undefined, now: number): FilterTerm[] {
  if (!q) return [];
  const { terms, errors: problems } = parseFilter(q, { now });
  const [first] = problems;
  if (first) throw new ApiProblem(400, "bad-filter", `q, characters ${first.start}-${first.end}: ${first.message}`);
  return terms;
}
