import { filterLimits } from "@lynceus/protocol/filter";
import * as z from "zod";

/** Machines that something is to be done to: rows by hand, or all that match a filter as it was read at a moment. */
export const selectionSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("rows"), ids: z.array(z.uuid()).min(1).max(1_000) }),
  z.object({
    kind: z.literal("all"),
    q: z.string().max(filterLimits.chars),
    /** Ages in the filter are of this moment, ms. */
    at: z.number().int().min(0).max(8_640_000_000_000),
  }),
]);
export type Selection = z.infer<typeof selectionSchema>;

const tag = z
  .string()
  .trim()
  .min(1)
  .max(64, "A tag has at most 64 characters; use e.g. pilot.")
  .regex(/^[^\s",*]+$/, "A tag has no spaces, commas, quotes or *; use e.g. pilot.");
const site = z.string().trim().min(1).max(200, "A site has at most 200 characters; use e.g. Manila.");

/** What is to be done. */
export const bulkActSchema = z.discriminatedUnion("kind", [
  z
    .object({ kind: z.literal("tag"), add: z.array(tag).max(20), remove: z.array(tag).max(20) })
    .refine(({ add, remove }) => add.length + remove.length > 0, "No tag is given; use e.g. pilot."),
  z.object({ kind: z.literal("site"), site: site.nullable() }),
  z.object({ kind: z.literal("probe") }),
  z.object({ kind: z.literal("revoke") }),
  z.object({ kind: z.literal("retire") }),
]);
export type BulkAct = z.infer<typeof bulkActSchema>;
export type BulkKind = BulkAct["kind"];

export type BulkAnswer =
  /** Done; `verification` is where a probe's progress is asked for. */
  | { done: number; verification?: string }
  /** Not done: there are this many now. */
  | { changed: number }
  | { error: string };
