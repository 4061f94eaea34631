"use server";

import {
  type Chosen,
  countChosen,
  retireMachines,
  revokeMachines,
  SelectionChangedError,
  setSite,
  tagMachines,
} from "@lynceus/db/machines-admin";
import type { Fleet } from "@lynceus/db/scope";
import { createVerification } from "@lynceus/db/verifications";
import type { Right } from "@lynceus/protocol/access";
import { readRequest } from "../../../components/machines/query.ts";
import {
  type BulkAct,
  type BulkAnswer,
  type BulkKind,
  bulkActSchema,
  type Selection,
  selectionSchema,
} from "../../../lib/bulk-input.ts";
import { requireAct } from "../../../lib/session.ts";
import { viewerZone } from "../../../lib/zone.ts";

const rightOf: Record<BulkKind, Right> = {
  tag: "place",
  site: "place",
  probe: "operate",
  revoke: "administer",
  retire: "administer",
};

/** How many machines a selection means now: said again before anything is done. */
export async function countSelection(selection: Selection): Promise<{ machines: number } | { error: string }> {
  const { fleet } = await requireAct("read");
  const parsed = selectionSchema.safeParse(selection);
  if (!parsed.success) return { error: parsed.error.issues[0]?.message ?? "No machine is chosen." };
  return { machines: await countChosen(fleet, await chosenOf(parsed.data)) };
}

/** Does it to exactly as many machines as was said; to none when they are another number by now. */
export async function runBulk(act: BulkAct, selection: Selection, expected: number): Promise<BulkAnswer> {
  const what = bulkActSchema.safeParse(act);
  const { fleet, email } = await requireAct(what.success ? rightOf[what.data.kind] : "administer");
  if (!what.success) return { error: what.error.issues[0]?.message ?? "This version knows no such act." };
  const which = selectionSchema.safeParse(selection);
  if (!which.success) return { error: which.error.issues[0]?.message ?? "No machine is chosen." };
  const by = { actor: email, now: new Date() };
  try {
    return await run(fleet, what.data, await chosenOf(which.data), Math.trunc(Number(expected)), by);
  } catch (error) {
    if (error instanceof SelectionChangedError) return { changed: error.machines };
    if (error instanceof RangeError) return { error: error.message };
    throw error;
  }
}

async function run(
  fleet: Fleet,
  act: BulkAct,
  chosen: Chosen,
  expected: number,
  by: { actor: string; now: Date },
): Promise<BulkAnswer> {
  switch (act.kind) {
    case "tag":
      return { done: await tagMachines(fleet, chosen, act, by, expected) };
    case "site":
      return { done: await setSite(fleet, chosen, act.site, by, expected) };
    case "revoke":
      return { done: await revokeMachines(fleet, chosen, by, expected) };
    case "retire":
      return { done: await retireMachines(fleet, chosen, by, expected) };
    case "probe": {
      const found = await countChosen(fleet, chosen);
      if (found !== expected) return { changed: found };
      const ids = "q" in chosen ? null : chosen;
      const { q, terms } = "q" in chosen ? chosen : { q: "", terms: [] };
      const cohort = { pattern: null, cause: null, causeId: null, q, site: null };
      const made = await createVerification(fleet, cohort, terms ?? [], by, ids);
      return { done: made.machines, verification: made.id };
    }
  }
}

async function chosenOf(selection: Selection): Promise<Chosen> {
  if (selection.kind === "rows") return selection.ids;
  const { query, terms } = readRequest({ q: selection.q }, { now: selection.at, zone: await viewerZone() });
  return { q: query, terms };
}
