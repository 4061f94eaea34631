"use server";

import { changeView, createView, deleteView, SavedViewError } from "@lynceus/db/saved-views";
import { type SavedViewInput, savedViewInputSchema } from "@lynceus/protocol/saved-view";
import { requireAct } from "../../../lib/session.ts";

/** Keeps a view of the team: a new one, or in place of the one that has this slug. */
export async function keepView(
  slug: string | null,
  input: SavedViewInput,
): Promise<{ slug: string } | { error: string }> {
  const { fleet, email } = await requireAct("operate");
  const parsed = savedViewInputSchema.safeParse(input);
  if (!parsed.success) return { error: parsed.error.issues[0]?.message ?? "This is no view." };
  const by = { actor: email, now: new Date() };
  try {
    const kept =
      slug === null ? await createView(fleet, parsed.data, by) : await changeView(fleet, String(slug), parsed.data, by);
    return kept === null ? { error: "Somebody deleted this view; save it as a new one." } : { slug: kept.slug };
  } catch (error) {
    if (error instanceof SavedViewError) return { error: error.message };
    throw error;
  }
}

/** Removes a view of the team. */
export async function dropView(slug: string): Promise<void> {
  const { fleet, email } = await requireAct("operate");
  await deleteView(fleet, String(slug), { actor: email });
}
