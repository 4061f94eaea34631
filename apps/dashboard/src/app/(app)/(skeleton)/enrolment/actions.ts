"use server";

import { createToken, revokeToken } from "@lynceus/db/enrollment";
import { approveMachines, revokeMachine } from "@lynceus/db/machines-admin";
import { currentPolicy } from "@lynceus/db/policies";
import { revalidatePath } from "next/cache";
import { database } from "../../../../lib/db.ts";
import { tokenFormSchema } from "../../../../lib/enrolment-input.ts";
import { type EnrolCommand, enrolCommands, enrolmentText, fenceOf } from "../../../../lib/enrolment-text.ts";
import { environment } from "../../../../lib/env.ts";
import { requireAct } from "../../../../lib/session.ts";
import { version } from "../../../../lib/version.ts";

export type TokenField = "label" | "site" | "tags" | "uses" | "hours";

export interface TokenState {
  errors: Partial<Record<TokenField, string>>;
  /** What was typed. */
  values: Record<TokenField, string> & { needsApproval: boolean };
  /** The token just made: shown once, kept nowhere. */
  made: { text: string; commands: EnrolCommand[]; label: string } | null;
  turn: number;
}

/** Makes a token; the answer is the only place where its text is. */
export async function makeToken(before: TokenState, form: FormData): Promise<TokenState> {
  const { email, fleet } = await requireAct("administer");
  const text = (name: string) => String(form.get(name) ?? "").slice(0, 2048);
  const values = {
    label: text("label"),
    site: text("site"),
    tags: text("tags"),
    uses: text("uses"),
    hours: text("hours"),
    needsApproval: form.get("needsApproval") !== null,
  };
  const turn = before.turn + 1;
  const parsed = tokenFormSchema.safeParse(values);
  if (!parsed.success) {
    const errors: TokenState["errors"] = {};
    for (const issue of parsed.error.issues) errors[issue.path[0] as TokenField] ??= issue.message;
    return { errors, values, made: null, turn };
  }
  const { collectorUrl, collectorPin } = environment();
  if (collectorUrl === null)
    return {
      errors: { label: "This dashboard was not told the collector's address (LYNCEUS_COLLECTOR_URL)." },
      values,
      made: null,
      turn,
    };
  const { label, site, tags, uses, hours, needsApproval } = parsed.data;
  const { secret } = await createToken(fleet, {
    label,
    site,
    tags,
    maxUses: uses,
    needsApproval,
    createdBy: email,
    expiresAt: new Date(Date.now() + hours * 3_600_000),
  });
  const token = enrolmentText({ url: collectorUrl, secret, pin: collectorPin });
  const commands = enrolCommands(token, fenceOf((await currentPolicy(database()))?.body ?? null), version);
  revalidatePath("/enrolment");
  return { errors: {}, values, made: { text: token, commands, label }, turn };
}

/** Ends a token; machines that used it stay. */
export async function endToken(form: FormData): Promise<void> {
  const { email, fleet } = await requireAct("administer");
  await revokeToken(fleet, id(form), { actor: email, now: new Date() });
  revalidatePath("/enrolment");
}

/** Lets machines that waited take part. */
export async function approve(form: FormData): Promise<void> {
  const { email, fleet } = await requireAct("administer");
  const ids = form.getAll("id").map(String).slice(0, 1_000);
  await approveMachines(fleet, ids, { actor: email, now: new Date() });
  revalidatePath("/enrolment");
}

/** Refuses a machine from now on: one that nobody knows, or whose key was copied. */
export async function refuse(form: FormData): Promise<void> {
  const { email, fleet } = await requireAct("administer");
  await revokeMachine(fleet, id(form), { actor: email, now: new Date() });
  revalidatePath("/enrolment");
}

const id = (form: FormData) => String(form.get("id") ?? "");
