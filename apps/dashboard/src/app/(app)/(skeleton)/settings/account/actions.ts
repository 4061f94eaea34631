"use server";

import { endSessions, notePassword, noteTwoFactor } from "@lynceus/db/users";
import { revalidatePath } from "next/cache";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { auth } from "../../../../../lib/auth.ts";
import { database } from "../../../../../lib/db.ts";
import { formText } from "../../../../../lib/form-text.ts";
import { keepCookies } from "../../../../../lib/keep-cookies.ts";
import { passwordProblem } from "../../../../../lib/password-rules.ts";
import { qrPath } from "../../../../../lib/qr-path.ts";
import { requireSameOrigin, requireSession, type SessionUser } from "../../../../../lib/session.ts";

/*
 * What everybody may do to their own account, also before they have done what they must: so these acts ask for a session and
 * for no right.
 */

export interface PasswordState {
  errors: Partial<Record<"current" | "password" | "again", string>>;
  /** What was done, in words; null before. */
  done: string | null;
  turn: number;
}

/** Changes one's own password and ends all other sessions. */
export async function changePassword(before: PasswordState, form: FormData): Promise<PasswordState> {
  const user = await ownAct();
  const turn = before.turn + 1;
  const refused = (errors: PasswordState["errors"]): PasswordState => ({ errors, done: null, turn });
  const [current, next] = [formText(form, "current"), formText(form, "password")];
  if (next !== formText(form, "again")) return refused({ again: "The two passwords differ." });
  if (next === current) return refused({ password: "This is the present password; use another one." });
  const problem = passwordProblem(next, [user.name, user.email]);
  if (problem !== null) return refused({ password: problem });
  const answer = await auth().api.changePassword({
    body: { currentPassword: current, newPassword: next, revokeOtherSessions: true },
    headers: await headers(),
    asResponse: true,
  });
  if (!answer.ok) return refused({ current: "This is not the present password." });
  await keepCookies(answer);
  await notePassword(database(), user.id);
  if (user.must === "password") redirect("/");
  return { errors: {}, done: "The password is changed. Other sessions are ended.", turn };
}

export type FactorState =
  | { step: "start"; error: string | null; done: string | null }
  /** The app takes the secret by its picture or its text; a first code proves that it has it. */
  | { step: "confirm"; error: string | null; secret: string; picture: { path: string; size: number } }
  /** Shown once. */
  | { step: "codes"; codes: string[] };

/** Makes a secret for an authenticator app. It counts once a code of it was given. */
export async function beginTwoFactor(_before: FactorState, form: FormData): Promise<FactorState> {
  await ownAct();
  const answer = await auth().api.enableTwoFactor({
    body: { password: formText(form, "password") },
    headers: await headers(),
    asResponse: true,
  });
  if (!answer.ok) return start(await wrongPassword(answer));
  const { totpURI } = (await answer.json()) as { totpURI: string };
  const secret = new URL(totpURI).searchParams.get("secret") ?? "";
  return { step: "confirm", error: null, secret, picture: qrPath(totpURI) };
}

/** Takes the first code, and gives the recovery codes. */
export async function confirmTwoFactor(before: FactorState, form: FormData): Promise<FactorState> {
  const user = await ownAct();
  if (before.step !== "confirm") return start(null);
  const code = formText(form, "code").replace(/\s/g, "");
  const answer = await auth().api.verifyTOTP({ body: { code }, headers: await headers(), asResponse: true });
  if (!answer.ok) return { ...before, error: "This is not the app's present code; is the phone's time right?" };
  await keepCookies(answer);
  await noteTwoFactor(database(), user.email, "on");
  return { step: "codes", codes: await recoveryCodes(user) };
}

/** Makes the recovery codes anew; the old ones work no longer. */
export async function renewRecoveryCodes(_before: FactorState, form: FormData): Promise<FactorState> {
  const user = await ownAct();
  const answer = await auth().api.generateBackupCodes({
    body: { password: formText(form, "password") },
    headers: await headers(),
    asResponse: true,
  });
  if (!answer.ok) return start(await wrongPassword(answer));
  await noteTwoFactor(database(), user.email, "recovery-codes");
  return { step: "codes", codes: await recoveryCodes(user) };
}

/** Takes the second factor away. */
export async function removeTwoFactor(_before: FactorState, form: FormData): Promise<FactorState> {
  const user = await ownAct();
  const answer = await auth().api.disableTwoFactor({
    body: { password: formText(form, "password") },
    headers: await headers(),
    asResponse: true,
  });
  if (!answer.ok) return start(await wrongPassword(answer));
  await keepCookies(answer);
  await noteTwoFactor(database(), user.email, "off");
  revalidatePath("/settings/account");
  return { step: "start", error: null, done: "The second factor is removed." };
}

/** Ends one of one's own sessions. */
export async function endSession(form: FormData): Promise<void> {
  const user = await ownAct();
  await endSessions(database(), user.id, { id: formText(form, "id") }, user.email);
  revalidatePath("/settings/account");
}

/** Ends all of one's own sessions but this one. */
export async function endOtherSessions(): Promise<void> {
  const user = await ownAct();
  await endSessions(database(), user.id, { but: user.sessionId }, user.email);
  revalidatePath("/settings/account");
}

/** Logs out everywhere, here as well. */
export async function endAllSessions(): Promise<void> {
  const user = await ownAct();
  await endSessions(database(), user.id, {}, user.email);
  redirect("/login");
}

const start = (error: string | null): FactorState => ({ step: "start", error, done: null });

async function wrongPassword(answer: Response): Promise<string> {
  const body = (await answer.json().catch(() => null)) as { code?: string } | null;
  return body?.code === "INVALID_PASSWORD"
    ? "This is not the password."
    : "This did not work; read the page again and begin anew.";
}

async function recoveryCodes(user: SessionUser): Promise<string[]> {
  const { backupCodes } = await auth().api.viewBackupCodes({ body: { userId: user.id } });
  return [...backupCodes];
}

async function ownAct(): Promise<SessionUser> {
  const user = await requireSession();
  await requireSameOrigin();
  return user;
}
