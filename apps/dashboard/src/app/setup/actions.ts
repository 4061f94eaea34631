"use server";

import { findMachines } from "@lynceus/db/machines";
import { currentPolicy, PolicyConflictError, savePolicy } from "@lynceus/db/policies";
import { buildPolicy } from "@lynceus/protocol/presets";
import { redirect } from "next/navigation";
import { database } from "../../lib/db.ts";
import { type Discovery, discover } from "../../lib/discovery/discover.ts";
import { dnsNames } from "../../lib/discovery/names.ts";
import { environment } from "../../lib/env.ts";
import { formText } from "../../lib/form-text.ts";
import { readRollout, readRolloutForm } from "../../lib/rollout-input.ts";
import type { RolloutErrors, RolloutValues } from "../../lib/rollout-values.ts";
import { requireAct } from "../../lib/session.ts";
import {
  keptOf,
  readDomains,
  readSetup,
  readSetupForm,
  type SetupErrors,
  type SetupValues,
} from "../../lib/setup-input.ts";

export interface SetupState {
  values: SetupValues;
  errors: SetupErrors;
  /** Who gets it first. */
  rollout: { values: RolloutValues; errors: RolloutErrors };
  note: string;
  /** Why it was not saved, where no field is to blame. */
  refused: string | null;
  /** What the last search gave; null before one. */
  discovery: Discovery | null;
  /** Counts answers, so that fields take new values. */
  turn: number;
}

/** Searches or saves, as the pressed button says. */
export async function setUp(before: SetupState, form: FormData): Promise<SetupState> {
  const user = await requireAct("configure");
  const values = readSetupForm(form);
  const rolloutValues = readRolloutForm(form);
  const turn = before.turn + 1;
  const kept = { rollout: { values: rolloutValues, errors: {} }, note: formText(form, "note", 500), refused: null };
  if (form.get("intent") === "find") return { ...(await find(values, turn)), ...kept };

  const { preset, errors } = readSetup(values);
  const { rollout, errors: rolloutErrors } = await readRollout(rolloutValues, async (name) => {
    const found = await findMachines(user.fleet, name, 20);
    return found.find(({ hostname }) => hostname.toLowerCase() === name.toLowerCase())?.id ?? null;
  });
  if (preset === null || Object.keys(rolloutErrors).length > 0)
    return {
      values,
      errors,
      discovery: before.discovery,
      turn,
      ...kept,
      rollout: { values: rolloutValues, errors: rolloutErrors },
    };
  const db = database();
  const current = await currentPolicy(db);
  let body: ReturnType<typeof buildPolicy>;
  try {
    body = buildPolicy({ ...(current === null ? {} : keptOf(current.body)), ...preset }, current?.version ?? 0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { values, errors: { ews: error.message }, discovery: before.discovery, turn, ...kept };
  }
  const note = kept.note.trim() || "servers and domains";
  try {
    await savePolicy(db, { body, now: new Date(), createdBy: user.email, note, rollout });
  } catch (error) {
    if (!(error instanceof PolicyConflictError)) throw error;
    return { values, errors: {}, discovery: before.discovery, turn, ...kept, refused: error.message };
  }
  redirect(current === null ? "/" : "/targets");
}

async function find(values: SetupValues, turn: number): Promise<Omit<SetupState, "rollout" | "note" | "refused">> {
  const { smtp, sip, errors } = readDomains(values);
  if (Object.keys(errors).length > 0) return { values, errors, discovery: null, turn };
  const env = environment();
  const discovery = await discover(
    // A form is no scanner: of a long list the first ones are enough to find the servers.
    { smtp: smtp.slice(0, 4), sip: sip.slice(0, 4) },
    {
      names: dnsNames(env.discoveryServers ?? undefined),
      monotonic: () => performance.now(),
      allowLoopback: env.discoverOnLoopback,
    },
  );
  // What someone typed is kept; what is empty takes what was found.
  return {
    values: {
      ...values,
      ews: values.ews === "" ? discovery.ews.join(", ") : values.ews,
      lyncWeb: values.lyncWeb === "" ? discovery.lyncWeb.join(", ") : values.lyncWeb,
    },
    errors: {},
    discovery,
    turn,
  };
}
