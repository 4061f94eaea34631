"use server";

import { createApiToken, revokeApiToken } from "@lynceus/db/api-tokens";
import { createUser, removeUser, setAccess } from "@lynceus/db/users";
import { everyMachine, roleSchema } from "@lynceus/protocol/access";
import { hashPassword } from "better-auth/crypto";
import { revalidatePath } from "next/cache";
import { headers } from "next/headers";
import { type AccountField, accountSchema, fieldErrors } from "../../../../lib/account-input.ts";
import { auth } from "../../../../lib/auth.ts";
import { database } from "../../../../lib/db.ts";
import { keepCookies } from "../../../../lib/keep-cookies.ts";
import { passwordLength } from "../../../../lib/password-length.ts";
import { requireAct } from "../../../../lib/session.ts";

export interface FormState {
  errors: Partial<Record<AccountField | "current" | "label", string>>;
  /** What was done, in words; null before. */
  done: string | null;
  /** A secret that is shown once. */
  secret: string | null;
  values: { name: string; email: string; role: string; label: string };
  turn: number;
}

/** Changes one's own password and ends all other sessions. */
export async function changePassword(before: FormState, form: FormData): Promise<FormState> {
  await requireAct("read");
  const next = text(form, "password");
  if (next !== text(form, "again")) return refused(before, form, { again: "The two passwords differ." });
  if (next.length < passwordLength.least || next.length > passwordLength.most)
    return refused(before, form, {
      password: `The password has ${next.length} characters, ${passwordLength.least} to ${passwordLength.most} are needed; use e.g. four words.`,
    });
  const answer = await auth().api.changePassword({
    body: { currentPassword: text(form, "current"), newPassword: next, revokeOtherSessions: true },
    headers: await headers(),
    asResponse: true,
  });
  if (!answer.ok) return refused(before, form, { current: "This is not the present password." });
  await keepCookies(answer);
  return done(before, "The password is changed. Other sessions are ended.");
}

/** Makes an account. */
export async function makeUser(before: FormState, form: FormData): Promise<FormState> {
  const user = await requireAct("configure");
  const parsed = accountSchema.safeParse({
    name: text(form, "name"),
    email: text(form, "email"),
    password: text(form, "password"),
    again: text(form, "password"),
  });
  if (!parsed.success) return refused(before, form, fieldErrors(parsed.error));
  const { name, email, password } = parsed.data;
  const role = roleSchema.catch("viewer").parse(text(form, "role"));
  const access = { role, ...everyMachine };
  const made = await createUser(
    database(),
    { name, email, access, passwordHash: await hashPassword(password) },
    user.email,
  );
  if (!made) return refused(before, form, { email: "An account has this address already; use another one." });
  revalidatePath("/settings");
  return done(before, `${name} can sign in as ${role}. Tell the password in person; it can be changed under Settings.`);
}

/** Gives or takes the admin role, or removes the account. */
export async function changeRole(form: FormData): Promise<void> {
  const user = await requireAct("configure");
  const to = text(form, "to");
  const id = text(form, "id");
  if (to === "remove") await removeUser(database(), id, user.email);
  else {
    const role = roleSchema.safeParse(to);
    if (role.success) await setAccess(database(), id, { role: role.data, ...everyMachine }, user.email);
  }
  revalidatePath("/settings");
}

/** Makes a token of the read API; its text is in the answer and nowhere else. */
export async function makeApiToken(before: FormState, form: FormData): Promise<FormState> {
  const user = await requireAct("configure");
  const label = text(form, "label").trim();
  if (label === "" || label.length > 100)
    return refused(before, form, { label: "A label has 1 to 100 characters; use e.g. Grafana." });
  const { secret } = await createApiToken(database(), { label, scopes: ["read"], createdBy: user.email });
  revalidatePath("/settings");
  return { ...done(before, `Token for ${label}. This is the only time it is shown.`), secret };
}

/** Ends a token of the read API at once. */
export async function endApiToken(form: FormData): Promise<void> {
  const user = await requireAct("configure");
  await revokeApiToken(database(), text(form, "id"), { actor: user.email, now: new Date() });
  revalidatePath("/settings");
}

const text = (form: FormData, name: string) => {
  const value = form.get(name);
  return typeof value === "string" ? value.slice(0, 1024) : "";
};

const refused = (before: FormState, form: FormData, errors: FormState["errors"]): FormState => ({
  errors,
  done: null,
  secret: null,
  values: {
    name: text(form, "name"),
    email: text(form, "email"),
    role: text(form, "role"),
    label: text(form, "label"),
  },
  turn: before.turn + 1,
});

const done = (before: FormState, words: string): FormState => ({
  errors: {},
  done: words,
  secret: null,
  values: { name: "", email: "", role: "viewer", label: "" },
  turn: before.turn + 1,
});
