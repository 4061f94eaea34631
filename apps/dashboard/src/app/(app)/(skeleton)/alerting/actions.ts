"use server";

import { getAlerting } from "@lynceus/db/alerting";
import { addTestNotice, retryNotice } from "@lynceus/db/notices";
import { testNotice } from "@lynceus/incidents/test-notice";
import { alertingFromYaml, maxYamlChars } from "@lynceus/incidents/yaml";
import { type AlertingProblem, heartbeatSecrets } from "@lynceus/protocol/alerting";
import { revalidatePath } from "next/cache";
import { redirect } from "next/navigation";
import * as z from "zod";
import { type AuditChange, auditChanges } from "../../../../components/settings/audit-changes.ts";
import {
  isListKind,
  isPieceKind,
  kindWords,
  pieceOf,
  sortProblems,
  usersOf,
  withoutPiece,
  withPiece,
  withRouteMoved,
} from "../../../../lib/alerting/pieces.ts";
import { problemText } from "../../../../lib/alerting/problem-text.ts";
import { inForce, saveDocument, versionAt } from "../../../../lib/alerting/save.ts";
import { database } from "../../../../lib/db.ts";
import { formText } from "../../../../lib/form-text.ts";
import { requireAct } from "../../../../lib/session.ts";

/** Characters of one piece as a form sends it; a webhook's body may be long. */
const mostPiece = 200_000;
const mostSecret = 8_192;
const secretsSchema = z.record(z.string().max(64), z.string().max(mostSecret).nullable());

export interface PieceState {
  /** By path inside the piece, `secrets.url` for a secret; "" for what is of no one field. */
  errors: Readonly<Record<string, string>>;
  /** Somebody changed the same piece meanwhile. */
  conflict: { version: number; by: string; at: number | null; changes: readonly AuditChange[]; gone: boolean } | null;
  /** The version that this form stands on after its own save. */
  version: number | null;
  done: string | null;
  turn: number;
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Saves one piece of the configuration: fields `kind`, `id` ("" for a new one), `version` (that was edited), `value` and
 * `secrets` (JSON), `over` (the version whose change is knowingly written over). What others changed elsewhere stays.
 */
export async function savePiece(before: PieceState, form: FormData): Promise<PieceState> {
  const { email: actor } = await requireAct("configure");
  const turn = before.turn + 1;
  const refused = (errors: PieceState["errors"]): PieceState => ({
    ...before,
    errors,
    conflict: null,
    done: null,
    turn,
  });
  const kind = formText(form, "kind");
  const id = formText(form, "id");
  const sent = readJson(formText(form, "value", mostPiece));
  const secrets = secretsSchema.safeParse(readJson(formText(form, "secrets", mostPiece) || "{}"));
  const version = Number(formText(form, "version"));
  if (!isPieceKind(kind) || typeof sent !== "object" || sent === null || !Number.isInteger(version))
    return refused({ "": "The form was not sent whole; load the page again." });
  // An id is for good: routes, secrets and delivered notices refer to it.
  const piece = id === "" || kind === "limits" ? sent : { ...sent, id };
  if (!secrets.success) return refused({ "": "A secret is longer than any that is known." });

  const stored = await inForce();
  const over = Number(formText(form, "over"));
  if (stored.version !== version && stored.version !== over) {
    const base = await versionAt(version);
    const [was, theirs] = [base && pieceOf(base, kind, id), pieceOf(stored.config, kind, id)];
    if (id !== "" && !same(was, theirs))
      return {
        ...before,
        errors: {},
        conflict: {
          version: stored.version,
          by: stored.createdBy ?? "somebody",
          at: stored.createdAt?.getTime() ?? null,
          changes: auditChanges(was, theirs),
          gone: theirs === null,
        },
        done: null,
        turn,
      };
  }
  const own = (piece as { id?: unknown }).id;
  const { config, prefix } = withPiece(stored.config, kind, pieceOf(stored.config, kind, id) === null ? "" : id, piece);
  const owner = kind === "limits" ? heartbeatSecrets : String(own);
  const name = kind === "limits" ? "limits" : `${kindWords[kind]} ${String(own)}`;
  const saved = await saveDocument(config, {
    version: stored.version,
    actor,
    note: id === "" && kind !== "limits" ? `Added ${name}` : `Changed ${name}`,
    ...(Object.keys(secrets.data).length > 0 && { secrets: { [owner]: secrets.data } }),
  });
  switch (saved.outcome) {
    case "wrong": {
      const { inside, elsewhere } = sortProblems(saved.problems, prefix);
      const errors: Record<string, string> = {};
      const within = { ...(typeof config === "object" ? config : {}) };
      for (const { path, message } of inside)
        errors[path] ??= problemText(
          { path: path.startsWith("importantTags") ? path : path === "" ? prefix : `${prefix}.${path}`, message },
          within,
        );
      if (elsewhere.length > 0)
        errors[""] = elsewhere.map((problem) => `${problem.path}: ${problemText(problem, within)}`).join(" ");
      return refused(errors);
    }
    case "wrong-secrets":
      return refused(
        Object.fromEntries(Object.entries(saved.errors).map(([key, text]) => [key && `secrets.${key}`, text])),
      );
    case "raced":
      return refused({ "": `Version ${saved.version} was saved at this very moment; save again.` });
    case "saved": {
      revalidatePath("/alerting", "layout");
      if (id === "" && kind !== "limits") redirect(`/alerting/${kind}/${String(own)}?saved=${saved.version}`);
      const missing = saved.missing.find(({ path }) => path === prefix);
      return {
        errors: {},
        conflict: null,
        version: saved.version,
        done: `Saved as version ${saved.version}.${missing ? ` It cannot work yet: ${missing.message}` : ""}`,
        turn,
      };
    }
  }
}

export interface ActState {
  said: string | null;
  bad: boolean;
  turn: number;
}

/** Takes a piece away: fields `kind`, `id`. One that something still names stays, and it is said what names it. */
export async function removePiece(before: ActState, form: FormData): Promise<ActState> {
  const { email: actor } = await requireAct("configure");
  const turn = before.turn + 1;
  const say = (said: string): ActState => ({ said, bad: true, turn });
  const [kind, id] = [formText(form, "kind"), formText(form, "id")];
  if (!isListKind(kind)) return say("This is nothing that can be removed.");
  const stored = await inForce();
  if (pieceOf(stored.config, kind, id) === null) return say("It is gone already.");
  const users = usersOf(stored.config, kind, id);
  if (users.length > 0) return say(`It is still named by ${users.slice(0, 5).join(", ")}; take it out there first.`);
  const saved = await saveDocument(withoutPiece(stored.config, kind, id), {
    version: stored.version,
    actor,
    note: `Removed ${kindWords[kind]} ${id}`,
  });
  if (saved.outcome !== "saved") return say("Somebody saved at this very moment; try again.");
  revalidatePath("/alerting", "layout");
  redirect(pageOf(kind));
}

const pageOf = (kind: string) =>
  kind === "routes"
    ? "/alerting"
    : kind === "schedules"
      ? "/alerting/people"
      : kind === "inhibitions"
        ? "/alerting/limits"
        : `/alerting/${kind}`;

/** Moves a route one place: fields `id`, `by` (−1 or 1). The first that matches is asked first. */
export async function moveRoute(form: FormData): Promise<void> {
  const { email: actor } = await requireAct("configure");
  const id = formText(form, "id");
  const stored = await inForce();
  const moved = withRouteMoved(stored.config, id, formText(form, "by") === "-1" ? -1 : 1);
  if (moved !== null) await saveDocument(moved, { version: stored.version, actor, note: `Moved route ${id}` });
  revalidatePath("/alerting", "layout");
}

/** Sends a test to a receiver: field `id`. What became of it is a notice like any other. */
export async function testReceiver(before: ActState, form: FormData): Promise<ActState> {
  const { email: actor } = await requireAct("configure");
  const turn = before.turn + 1;
  const { config } = await inForce();
  const receiver = config.receivers.find(({ id }) => id === formText(form, "id"));
  if (!receiver) return { said: "There is no such receiver any more.", bad: true, turn };
  const now = new Date();
  await addTestNotice(database(), testNotice(receiver, { actor, now: now.getTime() }), { actor, now });
  revalidatePath(`/alerting/receivers/${receiver.id}`);
  return { said: null, bad: false, turn };
}

/** Sends a notice that was given up, or waits for its next try, again now: field `id`. */
export async function retry(before: ActState, form: FormData): Promise<ActState> {
  const { email: actor } = await requireAct("configure");
  const turn = before.turn + 1;
  const found = await retryNotice(database(), formText(form, "id"), { actor, now: new Date() });
  revalidatePath("/alerting/undelivered");
  return found ? { said: "On its way.", bad: false, turn } : { said: "It is no longer there.", bad: true, turn };
}

/** Saves what an earlier version said as the next one: fields `version`, `over` (the version in force that was seen). */
export async function restoreVersion(before: ActState, form: FormData): Promise<ActState> {
  const { email: actor } = await requireAct("configure");
  const turn = before.turn + 1;
  const say = (said: string): ActState => ({ said, bad: true, turn });
  const [version, seen] = [Number(formText(form, "version")), Number(formText(form, "over"))];
  const old = Number.isInteger(version) && version > 0 ? await getAlerting(database(), version) : null;
  if (old === null) return say("There is no such version.");
  const saved = await saveDocument(old.config, { version: seen, actor, note: `Restored version ${version}` });
  if (saved.outcome === "raced") return say(`Version ${saved.version} was saved meanwhile; load the page again.`);
  if (saved.outcome !== "saved") return say("It can no longer be read by today's rules; edit the one in force.");
  revalidatePath("/alerting", "layout");
  redirect(`/alerting/versions/${saved.version}`);
}

export interface ImportState {
  problems: readonly AlertingProblem[];
  /** What saving it would change; null where it was not checked, or is wrong. */
  changes: readonly AuditChange[] | null;
  /** The version in force that it was compared with. */
  version: number;
  error: string | null;
  turn: number;
}

/** Reads a YAML file (`text`), says all that is wrong with it or what it would change, and with `intent=save` saves it. */
export async function importYaml(before: ImportState, form: FormData): Promise<ImportState> {
  const { email: actor } = await requireAct("configure");
  const turn = before.turn + 1;
  const text = formText(form, "text", 4 * maxYamlChars);
  const stored = await inForce();
  const state: ImportState = {
    problems: [],
    changes: null,
    version: stored.version,
    error: null,
    turn,
  };
  if (text.trim() === "") return { ...state, error: "Choose a file, or paste its text." };
  const { config, problems } = alertingFromYaml(text);
  if (config === null)
    return {
      ...state,
      problems: problems.map(({ path, message }) => ({ path, message: problemText({ path, message }, null) })),
    };
  const changes = auditChanges(stored.config, config);
  if (formText(form, "intent") !== "save") return { ...state, changes };
  const seen = Number(formText(form, "version"));
  if (seen !== stored.version)
    return {
      ...state,
      changes,
      error: `Version ${stored.version} was saved meanwhile; this is what the file would change now.`,
    };
  const saved = await saveDocument(config, { version: seen, actor, note: "Imported a file" });
  if (saved.outcome !== "saved")
    return { ...state, changes, error: "Somebody saved at this very moment; check again." };
  revalidatePath("/alerting", "layout");
  redirect(`/alerting/versions/${saved.version}`);
}
