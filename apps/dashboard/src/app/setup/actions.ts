"use server";

import { currentPolicy, savePolicy } from "@lynceus/db/policies";
import { buildPolicy } from "@lynceus/protocol/presets";
import { redirect } from "next/navigation";
import { database } from "../../lib/db.ts";
import { type Discovery, discover } from "../../lib/discovery/discover.ts";
import { dnsNames } from "../../lib/discovery/names.ts";
import { environment } from "../../lib/env.ts";
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
  /** What the last search gave; null before one. */
  discovery: Discovery | null;
  /** Counts answers, so that fields take new values. */
  turn: number;
}

/** Searches or saves, as the pressed button says. */
export async function setUp(before: SetupState, form: FormData): Promise<SetupState> {
  const user = await requireAct("configure");
  const values = readSetupForm(form);
  const turn = before.turn + 1;
  if (form.get("intent") === "find") return find(values, turn);

  const { preset, errors } = readSetup(values);
  if (preset === null) return { values, errors, discovery: before.discovery, turn };
  const db = database();
  const current = await currentPolicy(db);
  let body: ReturnType<typeof buildPolicy>;
  try {
    body = buildPolicy({ ...(current === null ? {} : keptOf(current.body)), ...preset }, current?.version ?? 0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { values, errors: { ews: error.message }, discovery: before.discovery, turn };
  }
  await savePolicy(db, { body, now: new Date(), createdBy: user.email, note: "servers and domains" });
  redirect("/");
}

async function find(values: SetupValues, turn: number): Promise<SetupState> {
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
