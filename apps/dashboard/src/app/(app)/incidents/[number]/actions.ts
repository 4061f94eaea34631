"use server";

import { revalidatePath } from "next/cache";
import { formText } from "../../../../lib/form-text.ts";
import { incidentNumber, isIncidentAct, performIncidentAct } from "../../../../lib/incident-act.ts";
import { requireAct } from "../../../../lib/session.ts";
import { alerting, personOf } from "../../../../lib/told.ts";

export interface IncidentActState {
  /** What was refused, and why; null where nothing was. */
  error: string | null;
  /** Counts what was done: a form that was sent begins anew. */
  turn: number;
}

/** Acknowledge, take over, release, close, note, hand over, tell: `act` says which. */
export async function actOnIncident(before: IncidentActState, form: FormData): Promise<IncidentActState> {
  const { email, name, fleet } = await requireAct("operate");
  const number = incidentNumber(formText(form, "number"));
  const act = formText(form, "act");
  if (number === null || !isIncidentAct(act)) return { error: "This is no act on an incident.", turn: before.turn };
  const person = personOf((await alerting()).config, email);
  const presser = {
    fleet,
    actor: email,
    name: person?.name ?? name,
    person: person?.id ?? null,
    via: "dashboard" as const,
  };
  const error = await performIncidentAct(presser, number, act, form, new Date());
  if (error !== null) return { error, turn: before.turn };
  revalidatePath(`/incidents/${number}`);
  return { error: null, turn: before.turn + 1 };
}
