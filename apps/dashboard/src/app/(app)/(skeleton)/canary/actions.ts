"use server";

import { cancelCanary, createCanary } from "@lynceus/db/canaries";
import { revalidatePath } from "next/cache";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { readRequest } from "../../../../components/machines/query.ts";
import { type CanaryErrors, type CanaryValues, readCanary, readCanaryForm } from "../../../../lib/canary-input.ts";
import { database } from "../../../../lib/db.ts";
import { isSameOrigin } from "../../../../lib/same-origin.ts";
import { requireRole, type SessionUser } from "../../../../lib/session.ts";
import { viewerZone } from "../../../../lib/zone.ts";

export interface CanaryState {
  values: CanaryValues;
  errors: CanaryErrors;
  turn: number;
}

/** Queues a canary and opens it. */
export async function propose(before: CanaryState, form: FormData): Promise<CanaryState> {
  const user = await admin();
  const values = readCanaryForm(form);
  const { canary, errors } = readCanary(values);
  const now = new Date();
  const { problems } = readRequest({ q: values.q }, { now: now.getTime(), zone: await viewerZone() });
  if (problems[0] !== undefined) errors.q = problems[0];
  if (canary === null || Object.keys(errors).length > 0) return { values, errors, turn: before.turn + 1 };
  const made = await createCanary(database(), canary, { actor: user.email, now });
  redirect(`/canary/${made.id}`);
}

/** Ends a canary early. */
export async function stopCanary(form: FormData): Promise<void> {
  const user = await admin();
  const id = String(form.get("id") ?? "");
  await cancelCanary(database(), id, { actor: user.email, now: new Date() });
  revalidatePath(`/canary/${id}`);
}

async function admin(): Promise<SessionUser> {
  const user = await requireRole("admin");
  if (!isSameOrigin(await headers())) throw new Error("refused: the form was sent from another site");
  return user;
}
