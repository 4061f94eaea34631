import * as z from "zod";

const tag = /^[\p{L}\p{N}][\p{L}\p{N}._:-]{0,63}$/u;

/** The form of a new token. Messages say the rule and an example. */
export const tokenFormSchema = z.object({
  label: z
    .string()
    .trim()
    .min(1, "The label is empty; say what the token is for, e.g. Singapore laptops.")
    .max(100, "The label has more than 100 characters; use e.g. Singapore laptops."),
  site: z
    .string()
    .trim()
    .max(100, "The site has more than 100 characters; use e.g. Singapore.")
    .transform((site) => (site === "" ? null : site)),
  tags: z
    .string()
    .max(1024)
    .transform((text) => [...new Set(text.split(/[\s,]+/).filter((entry) => entry !== ""))])
    .refine(
      (tags) => tags.length <= 16 && tags.every((entry) => tag.test(entry)),
      "Tags are letters, digits and . _ : - and at most 16; use e.g. laptop, pilot.",
    ),
  uses: z.coerce
    .number("Uses is no number; use e.g. 50.")
    .int("Uses is no whole number; use e.g. 50.")
    .min(1, "Uses is below 1; use e.g. 50.")
    .max(100_000, "Uses is above 100,000; use e.g. 500."),
  hours: z.enum(["1", "8", "24", "168", "720"], "This lifetime is not offered; use e.g. 1 day.").transform(Number),
  needsApproval: z.boolean(),
});
export type TokenForm = z.infer<typeof tokenFormSchema>;
