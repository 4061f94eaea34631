"use server";

import { createApiToken, revokeApiToken } from "@lynceus/db/api-tokens";
import { scopeText, type TokenScope } from "@lynceus/protocol/access";
import { tokenScopeSchema } from "@lynceus/protocol/access-schema";
import { revalidatePath } from "next/cache";
import { type AccessErrors, readAccess } from "../../../../../lib/access-input.ts";
import { database } from "../../../../../lib/db.ts";
import { environment } from "../../../../../lib/env.ts";
import { formText } from "../../../../../lib/form-text.ts";
import { requireAct } from "../../../../../lib/session.ts";

export interface TokenState {
  errors: Partial<Record<"label" | "days" | "may", string>> & AccessErrors;
  values: { label: string; days: string; may: TokenScope };
  /** The token just made: shown once, kept nowhere. `opens`: where a screen gets the wallboard by it. */
  made: { label: string; secret: string; sees: string; opens: string | null } | null;
  turn: number;
}

const dayMs = 86_400_000;

/** Makes a token of the API; its text is in the answer and nowhere else. */
export async function makeApiToken(before: TokenState, form: FormData): Promise<TokenState> {
  const { email } = await requireAct("configure");
  const turn = before.turn + 1;
  const label = formText(form, "label").trim();
  const days = formText(form, "days");
  const may = tokenScopeSchema.catch("read").parse(formText(form, "may"));
  const values = { label, days, may };
  // A token has no role of its own: what it may do says that. Only the part of the fleet is read of these fields.
  form.set("role", "viewer");
  const { access, errors: accessErrors } = readAccess(form);
  const errors: TokenState["errors"] = { ...accessErrors };
  if (label === "" || label.length > 100) errors.label = "A label has 1 to 100 characters; use e.g. Grafana.";
  if (!/^(30|90|365|never)$/.test(days)) errors.days = "This lifetime is not offered; use e.g. 90 days.";
  if (access === null || Object.keys(errors).length > 0) return { errors, values, made: null, turn };
  const { sites, tags } = access;
  const expiresAt = days === "never" ? null : new Date(Date.now() + Number(days) * dayMs);
  const { secret } = await createApiToken(database(), {
    label,
    scopes: [may],
    scope: { sites, tags },
    expiresAt,
    createdBy: email,
  });
  revalidatePath("/settings/tokens");
  return {
    errors: {},
    values: { label: "", days: "90", may: "read" },
    made: {
      label,
      secret,
      sees: scopeText(access),
      opens: may === "wall" ? new URL(`/wall/open#${secret}`, environment().publicUrl).href : null,
    },
    turn,
  };
}

/** Ends a token at once. */
export async function endApiToken(form: FormData): Promise<void> {
  const { email } = await requireAct("configure");
  await revokeApiToken(database(), formText(form, "id"), { actor: email, now: new Date() });
  revalidatePath("/settings/tokens");
}
