"use server";

import { randomBytes } from "node:crypto";
import {
  createUser,
  endSessions,
  getUser,
  removeUser,
  resetPassword,
  resetTwoFactor,
  setAccess,
  setDisabled,
  type UserChange,
} from "@lynceus/db/users";
import { type Access, everyMachine, scopeText } from "@lynceus/protocol/access";
import { hashPassword } from "better-auth/crypto";
import { revalidatePath } from "next/cache";
import { redirect } from "next/navigation";
import * as z from "zod";
import { type AccessErrors, readAccess } from "../../../../../lib/access-input.ts";
import { fieldErrors, personShape } from "../../../../../lib/account-input.ts";
import { database } from "../../../../../lib/db.ts";
import { formText } from "../../../../../lib/form-text.ts";
import { requireAct } from "../../../../../lib/session.ts";
import { readSignInRules, saveSignInRules, secondFactorFor } from "../../../../../lib/sign-in-rules.ts";

export interface NewUserState {
  errors: Partial<Record<"name" | "email", string>> & AccessErrors;
  values: { name: string; email: string; access: Access };
  /** The account just made, with its first password: shown once, kept nowhere. */
  made: { name: string; email: string; password: string | null } | null;
  turn: number;
}

/** Twenty letters in groups that can be read out. */
const makePassword = (): string =>
  (
    randomBytes(15)
      .toString("base64url")
      .replace(/[-_]/g, "x")
      .match(/.{1,5}/g) ?? []
  ).join("-");

const person = z.object(personShape);

/** Makes an account, with a password that has to be changed at the first sign-in, or for single sign-on alone. */
export async function makeUser(before: NewUserState, form: FormData): Promise<NewUserState> {
  const { email: actor } = await requireAct("configure");
  const turn = before.turn + 1;
  const parsed = person.safeParse({ name: formText(form, "name"), email: formText(form, "email") });
  const { access, errors } = readAccess(form);
  const values = {
    name: formText(form, "name"),
    email: formText(form, "email"),
    access: access ?? before.values.access,
  };
  if (!parsed.success || access === null)
    return {
      errors: { ...(parsed.success ? {} : fieldErrors<"name" | "email">(parsed.error)), ...errors },
      values,
      made: null,
      turn,
    };
  const { name, email } = parsed.data;
  const password = form.get("sso") === null ? makePassword() : null;
  const passwordHash = password === null ? null : await hashPassword(password);
  const made = await createUser(database(), { name, email, access, passwordHash, temporary: true }, actor);
  if (made === null)
    return { errors: { email: "An account has this address already; use another one." }, values, made: null, turn };
  revalidatePath("/settings/users");
  const none = { name: "", email: "", access: { role: "viewer" as const, ...everyMachine } };
  return { errors: {}, values: none, made: { name, email, password }, turn };
}

export interface UserState {
  errors: AccessErrors;
  /** What was done, or why it was not; null before. */
  said: string | null;
  /** A password that is shown once. */
  password: string | null;
  turn: number;
}

const refusals: Record<Exclude<UserChange, "done">, string> = {
  "no-user": "The account is gone.",
  "last-admin": "This is the last admin of the whole fleet: somebody has to be able to let others in.",
};

/** What an admin may do to another's account. */
const acts = [
  "access",
  "disable",
  "enable",
  "reset-password",
  "reset-second-factor",
  "end-sessions",
  "remove",
] as const;

/** Does to an account what the pressed button says. */
export async function changeUser(before: UserState, form: FormData): Promise<UserState> {
  const { email: actor, id: self } = await requireAct("configure");
  const id = formText(form, "id");
  const act = z.enum(acts).safeParse(form.get("act"));
  const turn = before.turn + 1;
  const say = (said: string, password: string | null = null): UserState => ({ errors: {}, said, password, turn });
  const told = (change: UserChange, done: string): UserState => {
    revalidatePath("/settings/users", "layout");
    return say(change === "done" ? done : refusals[change]);
  };
  if (!act.success) return say("Nothing was asked for.");
  // One's own rights and sign-in are another admin's to change: nobody shuts themselves out by a slip.
  if (id === self && act.data !== "end-sessions") return say("This is your own account; another admin can change it.");
  const db = database();
  switch (act.data) {
    case "access": {
      const { access, errors } = readAccess(form);
      if (access === null) return { errors, said: null, password: null, turn };
      return told(await setAccess(db, id, access, actor), `Now ${access.role}, for ${scopeText(access)}.`);
    }
    case "disable":
      return told(await setDisabled(db, id, new Date(), actor), "Disabled: its sessions are ended.");
    case "enable":
      return told(await setDisabled(db, id, null, actor), "Enabled: it can sign in again.");
    case "reset-password": {
      const password = makePassword();
      const change = await resetPassword(db, id, await hashPassword(password), actor);
      if (change !== "done") return told(change, "");
      revalidatePath("/settings/users", "layout");
      return say(
        "Its sessions are ended. This password is shown once, and has to be changed at the next sign-in.",
        password,
      );
    }
    case "reset-second-factor":
      return told(await resetTwoFactor(db, id, actor), "The second factor is removed, and its sessions are ended.");
    case "end-sessions":
      await endSessions(db, id, {}, actor);
      return told("done", "All its sessions are ended.");
    case "remove": {
      const user = await getUser(db, id);
      const change = await removeUser(db, id, actor);
      if (change !== "done" || user === null) return told(change, "");
      revalidatePath("/settings/users", "layout");
      redirect("/settings/users");
    }
  }
}

/** Sets who must have a second factor. */
export async function setSecondFactorRule(form: FormData): Promise<void> {
  const { email } = await requireAct("configure");
  const secondFactor = z.enum(secondFactorFor).safeParse(form.get("secondFactor"));
  if (!secondFactor.success) return;
  const rules = await readSignInRules(database());
  await saveSignInRules(database(), { ...rules, secondFactor: secondFactor.data }, email);
  revalidatePath("/settings/users");
}
