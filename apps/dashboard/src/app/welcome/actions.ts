"use server";

import { noteSignIn } from "@lynceus/db/users";
import { hashPassword } from "better-auth/crypto";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { type AccountField, accountSchema, fieldErrors } from "../../lib/account-input.ts";
import { database } from "../../lib/db.ts";
import { keepCookies } from "../../lib/keep-cookies.ts";
import { isSameOrigin } from "../../lib/same-origin.ts";
import { signIn } from "../../lib/sign-in.ts";
import { isWelcome, redeemWelcome } from "../../lib/welcome.ts";

export interface WelcomeState {
  errors: Partial<Record<AccountField, string>>;
  /** What was typed, without the passwords. */
  name: string;
  email: string;
}

/** Makes the first admin with the link's code and signs in. */
export async function makeFirstAdmin(_before: WelcomeState, form: FormData): Promise<WelcomeState> {
  const request = await headers();
  const text = (name: string) => String(form.get(name) ?? "").slice(0, 1024);
  const code = text("code");
  const state = { name: text("name"), email: text("email"), errors: {} };
  // Hashing is dear: nobody without the code gets so far.
  if (!isSameOrigin(request) || !(await isWelcome(database(), code, Date.now()))) redirect("/welcome");
  const parsed = accountSchema.safeParse({ ...state, password: text("password"), again: text("again") });
  if (!parsed.success) return { ...state, errors: fieldErrors(parsed.error) };

  const { name, email, password } = parsed.data;
  const made = await redeemWelcome(
    database(),
    code,
    { name, email, passwordHash: await hashPassword(password) },
    Date.now(),
  );
  if (made === "taken") return { ...state, errors: { email: "An account has this address already; use another one." } };
  if (made === "refused") redirect("/welcome");

  const done = await signIn(request, { email, password });
  if (done.kind !== "in") redirect("/login");
  await keepCookies(done.response);
  await noteSignIn(database(), done.userId, "password", new Date());
  redirect("/");
}
