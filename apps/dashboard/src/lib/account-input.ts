import * as z from "zod";
import { passwordLength } from "./password-length.ts";

/** What a form says about a new account. Messages say the rule and an example. */
export const accountSchema = z
  .object({
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
    password: z
      .string()
      .min(passwordLength.least, `The password has fewer than ${passwordLength.least} characters; use e.g. four words.`)
      .max(passwordLength.most, `The password has more than ${passwordLength.most} characters.`),
    again: z.string(),
  })
  .refine((form) => form.password === form.again, { path: ["again"], message: "The two passwords differ." })
  .refine((form) => !form.password.toLowerCase().includes(form.email.split("@")[0] ?? form.email), {
    path: ["password"],
    message: "The password contains the name of the email address; use e.g. four other words.",
  });

export type AccountField = "name" | "email" | "password" | "again";

/** First message of each field that was refused. */
export function fieldErrors(error: z.ZodError): Partial<Record<AccountField, string>> {
  const found: Partial<Record<AccountField, string>> = {};
  for (const issue of error.issues) {
    const field = issue.path[0] as AccountField | undefined;
    if (field !== undefined) found[field] ??= issue.message;
  }
  return found;
}
