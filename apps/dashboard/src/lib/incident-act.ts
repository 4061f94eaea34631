import {
  acknowledgeIncident,
  closeIncident,
  IncidentActError,
  noteIncident,
  releaseIncident,
  takeOverIncident,
  tellOfIncident,
} from "@lynceus/db/incident-acts";
import type { Fleet } from "@lynceus/db/scope";
import { formText } from "./form-text.ts";
import { alerting, composeContext, contactsOf } from "./told.ts";

/* What the buttons of an incident do: of its page, and of the page that a notice's link opens. */

export const incidentActs = ["acknowledge", "take-over", "release", "close", "note", "hand-over", "tell"] as const;
export type IncidentActName = (typeof incidentActs)[number];

/** Who presses. */
export interface Presser {
  readonly fleet: Fleet;
  /** For the audit log. */
  readonly actor: string;
  readonly name: string;
  readonly person: string | null;
  readonly via: "dashboard" | "link";
}

export const isIncidentAct = (name: string): name is IncidentActName => incidentActs.some((act) => act === name);

/** Number of an incident in an address; null for what is none. */
export function incidentNumber(text: string): number | null {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}

/** Does what a form asks for. Null when it was done, else why not; ready to show. */
export async function performIncidentAct(
  presser: Presser,
  number: number,
  act: IncidentActName,
  form: FormData,
  now: Date,
): Promise<string | null> {
  const { fleet, actor, name, person, via } = presser;
  const by = { actor, name, now };
  try {
    const found = await perform();
    return found ? null : `No incident has the number ${number}, or none of its machines is yours to see.`;
  } catch (error) {
    if (error instanceof IncidentActError) return sentence(error.message);
    throw error;
  }

  async function perform(): Promise<boolean> {
    switch (act) {
      case "acknowledge":
        return acknowledgeIncident(fleet, number, { ...by, via, person });
      case "take-over":
        return takeOverIncident(fleet, number, { ...by, via, person });
      case "release":
        return releaseIncident(fleet, number, by);
      case "close":
        return closeIncident(fleet, number, { ...by, note: formText(form, "note", 2000) });
      case "note": {
        const text = formText(form, "note", 2000).trim();
        if (text === "") throw new IncidentActError("an empty note says nothing; write e.g. px1 is restarted at 04:10");
        return noteIncident(fleet, number, { ...by, text });
      }
      case "hand-over":
      case "tell": {
        const { config } = await alerting();
        const wanted = formText(form, "to", 128);
        const found = contactsOf(config, wanted);
        if (found === null || (act === "hand-over" && !wanted.startsWith("person:")))
          throw new IncidentActError("it was not said who; choose somebody of the list");
        const { name: to, contacts } = found;
        const reason = act === "hand-over" ? "handed-over" : "sent-by-hand";
        return tellOfIncident(fleet, number, { ...by, reason, to, contacts, compose: await composeContext() });
      }
    }
  }
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
