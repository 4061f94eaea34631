"use server";

import { roleSchema } from "@lynceus/protocol/access-schema";
import { revalidatePath } from "next/cache";
import { readAccess } from "../../../../../lib/access-input.ts";
import { database } from "../../../../../lib/db.ts";
import { environment } from "../../../../../lib/env.ts";
import { formText } from "../../../../../lib/form-text.ts";
import { requireAct } from "../../../../../lib/session.ts";
import { discoverProvider, ProviderError } from "../../../../../lib/sign-on/discovery.ts";
import {
  type GroupLine,
  readSignOn,
  type SignOn,
  saveSignOn,
  signOnSchema,
} from "../../../../../lib/sign-on/settings.ts";

export interface SignOnState {
  errors: Partial<
    Record<"name" | "issuer" | "clientId" | "secret" | "scopes" | "groupsClaim" | "lines" | "others", string>
  >;
  done: string | null;
  turn: number;
}

/** Most lines of the table that a form sends. */
const mostLines = 200;

/** Saves the provider, after asking it whether it is what it is said to be. */
export async function saveProvider(before: SignOnState, form: FormData): Promise<SignOnState> {
  const { email: actor } = await requireAct("configure");
  const turn = before.turn + 1;
  const refused = (errors: SignOnState["errors"]): SignOnState => ({ errors, done: null, turn });
  const { lines, error } = readLines(form);
  if (error !== null) return refused({ lines: error });
  let others: SignOn["others"] = null;
  if (formText(form, "others") === "let-in") {
    const read = readAccess(form, "others-");
    if (read.access === null) return refused({ others: read.errors.scope ?? read.errors.role ?? "This is no access." });
    others = read.access;
  }
  const parsed = signOnSchema.safeParse({
    enabled: form.get("enabled") !== null,
    name: formText(form, "name"),
    issuer: formText(form, "issuer", 2048).trim(),
    clientId: formText(form, "clientId"),
    scopes: formText(form, "scopes")
      .split(/[\s,]+/)
      .filter((scope) => scope !== ""),
    groupsClaim: formText(form, "groupsClaim"),
    lines,
    others,
    trustsAddresses: form.get("trustsAddresses") !== null,
  });
  if (!parsed.success) {
    const field = String(parsed.error.issues[0]?.path[0] ?? "name") as keyof SignOnState["errors"];
    return refused({ [field]: `This is missing or too long; use e.g. ${examples[field] ?? "another text"}.` });
  }
  const settings = parsed.data;
  if (!settings.scopes.includes("openid"))
    return refused({ scopes: "The scope openid is needed; use e.g. openid profile email groups." });
  const secret = formText(form, "secret") || null;
  const db = database();
  if (secret === null && !(await readSignOn(db))?.sealedSecret)
    return refused({ secret: "The provider gave a secret with the client id; it is needed once." });
  // Switched off, it is kept as it is written: the provider may not be there yet.
  if (settings.enabled) {
    try {
      await discoverProvider(settings.issuer);
    } catch (problem) {
      if (problem instanceof ProviderError) return refused({ issuer: problem.message });
      throw problem;
    }
  }
  await saveSignOn(db, settings, secret, { actor, authSecret: environment().authSecret });
  revalidatePath("/settings/sign-on");
  const done = settings.enabled
    ? "Saved. The provider answered; the log-in page offers it."
    : "Saved, and switched off.";
  return { errors: {}, done, turn };
}

const examples: Partial<Record<string, string>> = {
  name: "Contoso",
  issuer: "https://login.example.org/realms/staff",
  clientId: "lynceus",
  scopes: "openid profile email groups",
  groupsClaim: "groups",
};

/** The lines of the table, as far as a group is named; fields are numbered. */
function readLines(form: FormData): { lines: GroupLine[]; error: string | null } {
  const lines: GroupLine[] = [];
  const numbers = form
    .getAll("line")
    .flatMap((value) => (typeof value === "string" && /^\d{1,6}$/.test(value) ? [value] : []));
  if (numbers.length > mostLines) return { lines, error: `More than ${mostLines} groups are given.` };
  for (const number of numbers) {
    const group = formText(form, `group-${number}`, 300).trim();
    if (group === "") continue;
    if (!roleSchema.safeParse(formText(form, `line-${number}-role`)).success)
      return { lines, error: `The group ${group} has no role; use viewer, operator or admin.` };
    const { access, errors } = readAccess(form, `line-${number}-`);
    if (access === null) return { lines, error: `${group}: ${errors.scope ?? errors.role}` };
    lines.push({ group, ...access });
  }
  return { lines, error: null };
}
