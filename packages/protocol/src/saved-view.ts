import * as z from "zod";
import { filterLimits } from "./filter.ts";

const word = z.string().regex(/^-?[A-Za-z]{1,40}$/);

/** A list of machines that a team keeps under a name: filter, order, columns, groups. */
export const savedViewInputSchema = z.object({
  name: z
    .string()
    .trim()
    .min(1, "A name is missing; use e.g. Behind px1.")
    .max(60, "A name has at most 60 characters; use e.g. Behind px1."),
  /** In the filter language. */
  q: z.string().max(filterLimits.chars),
  sort: word,
  /** Empty: those that everybody has. */
  columns: z.array(word).max(40),
  /** Field that machines are grouped by, or null. */
  group: word.nullable(),
});
export type SavedViewInput = z.infer<typeof savedViewInputSchema>;

export interface SavedView extends SavedViewInput {
  /** Its address: `/machines/views/<slug>`. */
  slug: string;
  createdBy: string;
  updatedAt: string;
}
