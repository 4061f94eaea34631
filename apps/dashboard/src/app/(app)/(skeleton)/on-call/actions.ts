"use server";

import type { Schedule } from "@lynceus/protocol/alerting";
import { revalidatePath } from "next/cache";
import { redirect } from "next/navigation";
import { inForce, saveDocument } from "../../../../lib/alerting/save.ts";
import { formText } from "../../../../lib/form-text.ts";
import { requireAct } from "../../../../lib/session.ts";

export interface OverrideState {
  errors: Partial<Record<"person" | "from" | "to" | "form", string>>;
  /** Times are of the schedule's own clock. */
  values: { person: string; from: string; to: string };
  base: number;
  /** Counts answers: the form is drawn anew with what was typed. */
  turn: number;
}

const withOverrides = (schedules: readonly Schedule[], id: string, overrides: Schedule["overrides"]) =>
  schedules.map((one) => (one.id === id ? { ...one, overrides } : one));

/** Puts an override into a schedule: the next version of the configuration. */
export async function addOverride(before: OverrideState, form: FormData): Promise<OverrideState> {
  const { email } = await requireAct("configure");
  const turn = before.turn + 1;
  const id = formText(form, "schedule", 64);
  const base = Number(formText(form, "base", 12));
  const values = {
    person: formText(form, "person", 64),
    from: formText(form, "from", 40),
    to: formText(form, "to", 40),
  };
  const { config } = await inForce();
  const at = config.schedules.findIndex((one) => one.id === id);
  const schedule = config.schedules[at];
  if (!schedule) return { errors: { form: "This schedule is gone; nothing was saved." }, values, base, turn };
  const overrides = [...schedule.overrides, values];
  const who = config.people.find((person) => person.id === values.person)?.name ?? values.person;
  const note = `${who} takes ${schedule.name} from ${values.from} to ${values.to}`.slice(0, 500);
  const saved = await saveDocument(
    { ...config, schedules: withOverrides(config.schedules, id, overrides) },
    { version: base, note, actor: email },
  );
  if (saved.outcome === "raced")
    return {
      errors: {
        form: `Version ${saved.version} was saved since this page was opened. Put it in again to add it to that.`,
      },
      values,
      base: saved.version,
      turn,
    };
  if (saved.outcome === "wrong") {
    const errors: OverrideState["errors"] = {};
    const own = `schedules.${at}.overrides.${overrides.length - 1}.`;
    for (const { path, message } of saved.problems) {
      const last = path.startsWith(own) ? path.slice(own.length) : "";
      const field = last === "person" || last === "from" || last === "to" ? last : "form";
      errors[field] ??= `${message}.`;
    }
    return { errors, values, base, turn };
  }
  revalidatePath("/on-call");
  redirect(`/on-call#${id}`);
}

/** Takes an override out again. It is named by all that it says: its place in the list may have changed. */
export async function removeOverride(form: FormData): Promise<void> {
  const { email } = await requireAct("configure");
  const id = formText(form, "schedule", 64);
  const { config, version } = await inForce();
  const schedule = config.schedules.find((one) => one.id === id);
  const named = (["person", "from", "to"] as const).map((field) => [field, formText(form, field, 64)] as const);
  const out = schedule?.overrides.find((one) => named.every(([field, value]) => one[field] === value));
  if (schedule && out) {
    const overrides = schedule.overrides.filter((one) => one !== out);
    await saveDocument(
      { ...config, schedules: withOverrides(config.schedules, id, overrides) },
      { version, note: `An override of ${schedule.name} removed`, actor: email },
    );
  }
  revalidatePath("/on-call");
  redirect(`/on-call#${id}`);
}
