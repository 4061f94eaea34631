"use server";

import { SiteSubnetError, saveSiteSubnets } from "@lynceus/db/sites";
import { revalidatePath } from "next/cache";
import { requireAct } from "../../../../lib/session.ts";
import { parseSiteMap } from "../../../../lib/site-map-input.ts";

export interface SiteMapState {
  error: string | null;
  /** What was done, in words; null before. */
  done: string | null;
  /** What was typed, where it was refused. */
  text: string | null;
  turn: number;
}

/** A form as long as a map of the largest company. */
const mostChars = 2_000_000;

/** Replaces the map from subnets to sites, if it is still the one that was read. */
export async function saveSiteMap(before: SiteMapState, form: FormData): Promise<SiteMapState> {
  const { email, fleet } = await requireAct("configure");
  const field = (name: string) => String(form.get(name) ?? "").slice(0, mostChars);
  const text = field("map");
  const turn = before.turn + 1;
  const refused = (error: string): SiteMapState => ({ error, done: null, text, turn });
  const { subnets, problem } = parseSiteMap(text);
  if (problem !== null) return refused(problem);
  try {
    await saveSiteSubnets(fleet, subnets, { actor: email }, parseSiteMap(field("was")).subnets);
  } catch (error) {
    if (error instanceof SiteSubnetError)
      return refused(`${error.message[0]?.toUpperCase()}${error.message.slice(1)}.`);
    throw error;
  }
  revalidatePath("/sites");
  return { error: null, done: "Saved. Machines move to their site with their next report.", text: null, turn };
}
