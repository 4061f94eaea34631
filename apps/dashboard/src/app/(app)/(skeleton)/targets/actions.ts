"use server";

import { changeRollout, getPolicy, PolicyConflictError, savePolicy } from "@lynceus/db/policies";
import { revalidatePath } from "next/cache";
import { redirect } from "next/navigation";
import { database } from "../../../../lib/db.ts";
import { formText } from "../../../../lib/form-text.ts";
import { readRollout, readRolloutForm } from "../../../../lib/rollout-input.ts";
import type { RolloutErrors, RolloutValues } from "../../../../lib/rollout-values.ts";
import { requireAct } from "../../../../lib/session.ts";

export interface WidenState {
  values: RolloutValues;
  errors: RolloutErrors;
  done: string | null;
  turn: number;
}

/** Gives a version that is rolled out in part to more machines, or to fewer. */
export async function widen(before: WidenState, form: FormData): Promise<WidenState> {
  const user = await requireAct("configure");
  const values: RolloutValues = { ...readRolloutForm(form), who: "part" };
  const turn = before.turn + 1;
  const { rollout, errors } = await readRollout(values, async () => null);
  if (rollout === null) return { values, errors, done: null, turn };
  const kept = await getPolicy(database(), versionOf(form));
  try {
    await changeRollout(database(), {
      version: versionOf(form),
      // Those it was tried on keep it.
      to: { ...rollout, machines: kept?.rollout?.machines ?? [] },
      actor: user.email,
      now: new Date(),
    });
  } catch (error) {
    if (!(error instanceof PolicyConflictError)) throw error;
    return { values, errors: { percent: error.message }, done: null, turn };
  }
  revalidatePath("/targets");
  return { values, errors: {}, done: "Saved; agents hear of it at once.", turn };
}

/** Gives it to the whole fleet, or stops the roll-out, as the form's `to` says. */
export async function finish(form: FormData): Promise<void> {
  const user = await requireAct("configure");
  const to = formText(form, "to") === "whole" ? "whole" : "stop";
  await unlessChanged(() =>
    changeRollout(database(), { version: versionOf(form), to, actor: user.email, now: new Date() }),
  );
}

/** An earlier version comes back as the next one, for the whole fleet. */
export async function bringBack(form: FormData): Promise<void> {
  const user = await requireAct("configure");
  const earlier = await getPolicy(database(), versionOf(form));
  if (earlier !== null)
    await unlessChanged(() =>
      savePolicy(database(), {
        body: earlier.body,
        now: new Date(),
        createdBy: user.email,
        note: `as version ${earlier.version}`,
        baseVersion: Number(formText(form, "base")) || 0,
      }),
    );
}

/** Somebody was faster: the page, drawn anew, shows what they did. */
async function unlessChanged(act: () => Promise<unknown>): Promise<never> {
  let conflict = false;
  try {
    await act();
  } catch (error) {
    if (!(error instanceof PolicyConflictError)) throw error;
    conflict = true;
  }
  revalidatePath("/targets");
  redirect(conflict ? "/targets?changed=1" : "/targets");
}

const versionOf = (form: FormData): number => {
  const version = Number(formText(form, "version"));
  return Number.isSafeInteger(version) && version > 0 && version < 2 ** 31 ? version : 0;
};
