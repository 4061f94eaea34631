"use server";

import { cancelCanary, createCanary } from "@lynceus/db/canaries";
import { revalidatePath } from "next/cache";
import { redirect } from "next/navigation";
import { readRequest } from "../../../../components/machines/query.ts";
import { readCanary, readCanaryForm } from "../../../../lib/canary-input.ts";
import type { CanaryErrors, CanaryValues } from "../../../../lib/canary-values.ts";
import { requireAct } from "../../../../lib/session.ts";
import { viewerZone } from "../../../../lib/zone.ts";

export interface CanaryState {
  values: CanaryValues;
  errors: CanaryErrors;
  turn: number;
}

/** Queues a canary and opens it. */
export async function propose(before: CanaryState, form: FormData): Promise<CanaryState> {
  const { email, fleet } = await requireAct("operate");
  const values = readCanaryForm(form);
  const { canary, errors } = readCanary(values);
  const now = new Date();
  const { problems } = readRequest({ q: values.q }, { now: now.getTime(), zone: await viewerZone() });
  if (problems[0] !== undefined) errors.q = problems[0];
  if (canary === null || Object.keys(errors).length > 0) return { values, errors, turn: before.turn + 1 };
  const made = await createCanary(fleet, canary, { actor: email, now });
  redirect(`/canary/${made.id}`);
}

/** Ends a canary early. */
export async function stopCanary(form: FormData): Promise<void> {
  const { email, fleet } = await requireAct("operate");
  const id = String(form.get("id") ?? "");
  await cancelCanary(fleet, id, { actor: email, now: new Date() });
  revalidatePath(`/canary/${id}`);
}
