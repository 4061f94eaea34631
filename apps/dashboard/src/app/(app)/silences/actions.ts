"use server";

import { createSilence, endSilence, SilenceError } from "@lynceus/db/silences";
import { revalidatePath } from "next/cache";
import { redirect } from "next/navigation";
import { formText } from "../../../lib/form-text.ts";
import { requireAct } from "../../../lib/session.ts";
import { readSilence, readSilenceForm, type SilenceErrors, type SilenceValues } from "../../../lib/silence-input.ts";
import { viewerZone } from "../../../lib/zone.ts";

export interface SilenceState {
  errors: SilenceErrors;
  values: SilenceValues;
  /** Counts answers: the form is drawn anew with what was typed. */
  turn: number;
}

/** Makes a silence, and leads to the list with it in it. It covers what its author sees, and nothing else. */
export async function makeSilence(before: SilenceState, form: FormData): Promise<SilenceState> {
  const { email, fleet } = await requireAct("operate");
  const values = readSilenceForm(form);
  const now = new Date();
  const { silence, errors } = readSilence(values, { now: now.getTime(), zone: await viewerZone() });
  if (silence === null) return { errors, values, turn: before.turn + 1 };
  const made = await createSilence(fleet, silence, { actor: email, now }).catch((error: unknown) => {
    if (error instanceof SilenceError) return error;
    throw error;
  });
  if (made instanceof SilenceError) return { errors: { until: made.message }, values, turn: before.turn + 1 };
  revalidatePath("/silences");
  redirect(`/silences?made=${made.id}`);
}

/** Ends a silence at once, or takes back one that was to come. */
export async function expireSilence(form: FormData): Promise<void> {
  const { email, fleet } = await requireAct("operate");
  await endSilence(fleet, formText(form, "id"), { actor: email, now: new Date() });
  revalidatePath("/silences");
}
