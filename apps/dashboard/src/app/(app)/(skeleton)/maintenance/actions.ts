"use server";

import { revalidatePath } from "next/cache";
import { redirect } from "next/navigation";
import { inForce, saveDocument } from "../../../../lib/alerting/save.ts";
import { formText } from "../../../../lib/form-text.ts";
import { requireAct } from "../../../../lib/session.ts";
import {
  newId,
  readWindow,
  readWindowForm,
  type WindowErrors,
  type WindowValues,
  windowProblems,
} from "../../../../lib/window-input.ts";

export interface WindowState {
  errors: WindowErrors;
  values: WindowValues;
  /** The version that the form was made from. */
  base: number;
  /** Counts answers: the form is drawn anew with what was typed. */
  turn: number;
}

const pageOf = (form: FormData, extra: Record<string, string> = {}) => {
  const month = formText(form, "month", 7);
  return `/maintenance?${new URLSearchParams({ ...(month === "" ? {} : { month }), ...extra })}`;
};

/** Adds a window, or saves one that was edited: as the next version of the configuration. */
export async function saveWindow(before: WindowState, form: FormData): Promise<WindowState> {
  const { email } = await requireAct("configure");
  const turn = before.turn + 1;
  const values = readWindowForm(form);
  const base = Number(formText(form, "base", 12));
  const { config } = await inForce();
  const taken = config.maintenance.map(({ id }) => id);
  const id = values.id === "" ? newId(values.name, taken) : values.id;
  const { window, errors } = readWindow(values, id);
  if (window === null) return { errors, values, base, turn };
  const at = taken.indexOf(id);
  if (values.id !== "" && at < 0)
    return { errors: { form: "Somebody removed this window meanwhile; nothing was saved." }, values, base, turn };
  const maintenance =
    at < 0 ? [...config.maintenance, window] : config.maintenance.map((one, i) => (i === at ? window : one));
  const note = `Maintenance window ${window.name} ${at < 0 ? "added" : "edited"}`;
  const saved = await saveDocument({ ...config, maintenance }, { version: base, note, actor: email });
  if (saved.outcome === "raced")
    return {
      errors: {
        form: `Version ${saved.version} of the alerting configuration was saved since this page was opened. What is typed here is kept; save again to put it on top.`,
      },
      values,
      base: saved.version,
      turn,
    };
  if (saved.outcome === "wrong")
    return { errors: windowProblems(saved.problems, at < 0 ? maintenance.length - 1 : at), values, base, turn };
  revalidatePath("/maintenance");
  redirect(pageOf(form, { saved: id }));
}

/** Takes a window away. What is in force of it ends with the next turn of the collector. */
export async function removeWindow(form: FormData): Promise<void> {
  const { email } = await requireAct("configure");
  const id = formText(form, "id", 64);
  const { config, version } = await inForce();
  const window = config.maintenance.find((one) => one.id === id);
  if (window) {
    const maintenance = config.maintenance.filter((one) => one !== window);
    const note = `Maintenance window ${window.name} removed`;
    await saveDocument({ ...config, maintenance }, { version, note, actor: email });
  }
  revalidatePath("/maintenance");
  redirect(pageOf(form));
}
