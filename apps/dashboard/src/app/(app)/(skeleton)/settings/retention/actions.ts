"use server";

import { saveRetention } from "@lynceus/db/retention";
import { revalidatePath } from "next/cache";
import { database } from "../../../../../lib/db.ts";
import { formText } from "../../../../../lib/form-text.ts";
import { type RetentionErrors, type RetentionValues, readRetentionForm } from "../../../../../lib/retention-input.ts";
import { requireAct } from "../../../../../lib/session.ts";

export interface RetentionState {
  values: RetentionValues;
  errors: RetentionErrors;
  done: string | null;
  turn: number;
}

/** Changes how long things are kept. */
export async function keepFor(before: RetentionState, form: FormData): Promise<RetentionState> {
  const { email } = await requireAct("configure");
  const turn = before.turn + 1;
  const values = {
    observationDays: formText(form, "observationDays", 20),
    historyDays: formText(form, "historyDays", 20),
  };
  const { retention, errors } = readRetentionForm(values);
  if (retention === null) return { values, errors, done: null, turn };
  await saveRetention(database(), retention, { actor: email });
  revalidatePath("/settings/retention");
  return { values, errors: {}, done: "Saved. What is older goes at the next 03:23 UTC.", turn };
}
