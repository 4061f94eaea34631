import * as z from "zod";
import { passwordProblem } from "./password-rules.ts";

/** A person's name and address, as a form says them. Messages say the rule and an example. */
export const personShape = {
  name: z
    .string()
    .trim()
    .min(1, "The name is empty; use e.g. M. Huber.")
    .max(100, "The name has more than 100 characters; use e.g. M. Huber."),
  email: z
    .string()
    .trim()
    .toLowerCase()
    .max(320, "The address has more than 320 characters; use e.g. m.huber@example.org.")
    .pipe(z.email("This is no email address; use e.g. m.huber@example.org.")),
};

/** What a form says about a new account. */
export const accountSchema = z
  .object({ ...personShape, password: z.string(), again: z.string() })
  .refine((form) => form.password === form.again, { path: ["again"], message: "The two passwords differ." })
  .superRefine((form, refused) => {
    const message = passwordProblem(form.password, [form.name, form.email]);
    if (message !== null) refused.addIssue({ code: "custom", path: ["password"], message });
  });

export type AccountField = "name" | "email" | "password" | "again";

/** First message of each field that was refused. */
export function fieldErrors<Field extends string>(error: z.ZodError): Partial<Record<Field, string>> {
  const found: Partial<Record<string, string>> = {};
  for (const issue of error.issues) {
    const field = issue.path[0];
    if (typeof field === "string") found[field] ??= issue.message;
  }
  return found as Partial<Record<Field, string>>;
}
