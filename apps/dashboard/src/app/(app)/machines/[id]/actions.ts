"use server";

import { addNote, deleteNote, mostNoteChars } from "@lynceus/db/notes";
import { createReport, deleteReport, ReportError } from "@lynceus/db/reports";
import { allows } from "@lynceus/protocol/access";
import { newReportSchema } from "@lynceus/protocol/read-api-tools";
import { revalidatePath } from "next/cache";
import { requireAct } from "../../../../lib/session.ts";

export interface ReportState {
  errors: Partial<Record<"user" | "at" | "note" | "pattern", string>>;
  /** What was done, in words; null before. */
  done: string | null;
  values: { user: string; note: string; pattern: string };
  turn: number;
}

/** Stores what a person saw. Whoever may see a machine may say what happened on it: the helpdesk are viewers. */
export async function report(before: ReportState, form: FormData): Promise<ReportState> {
  const { email, fleet } = await requireAct("read");
  const text = (name: string) => {
    const value = form.get(name);
    return typeof value === "string" ? value.slice(0, 1024) : "";
  };
  const values = { user: text("user"), note: text("note"), pattern: text("pattern") };
  const turn = before.turn + 1;
  const refused = (errors: ReportState["errors"]): ReportState => ({ errors, done: null, values, turn });
  const parsed = newReportSchema.safeParse({
    user: values.user,
    note: values.note,
    pattern: values.pattern === "" ? null : values.pattern,
    prompted: form.get("prompted") !== null,
    ...(text("at") === "" ? {} : { at: text("at") }),
  });
  if (!parsed.success) {
    const errors: ReportState["errors"] = {};
    for (const issue of parsed.error.issues) {
      const field = issue.path[0];
      if (field === "user") errors.user ??= "A user has 1 to 64 characters; use e.g. a.huber.";
      else if (field === "at") errors.at ??= "This is no time; use e.g. 24/11/2026 02:12.";
      else if (field === "pattern") errors.pattern ??= "This version has no such pattern; choose one of the list.";
      else errors.note ??= "A note has at most 500 characters.";
    }
    return refused(errors);
  }
  const machineId = text("machine");
  try {
    const made = await createReport(fleet, machineId, parsed.data, { actor: email, now: new Date() });
    if (made === null) return refused({ user: "This machine was retired, so nothing was stored." });
    revalidatePath(`/machines/${machineId}`);
    const said =
      made.raised.length > 0
        ? `Saved. At that moment ${made.raised.join(", ")} held.`
        : "Saved. No finding that makes prompts expected held at that moment.";
    return { errors: {}, done: said, values: { user: "", note: "", pattern: "" }, turn };
  } catch (error) {
    if (error instanceof ReportError) return refused({ at: error.message });
    throw error;
  }
}

/** Removes a report that was a mistake, or whose user asked for it. */
export async function removeReport(form: FormData): Promise<void> {
  const { email, fleet } = await requireAct("operate");
  await deleteReport(fleet, String(form.get("id") ?? ""), { actor: email });
  revalidatePath("/machines/[id]", "page");
}

export interface NoteState {
  error: string | null;
  /** What was done, in words; null before. */
  done: string | null;
  text: string;
  turn: number;
}

/** Writes a note on a machine. */
export async function note(before: NoteState, form: FormData): Promise<NoteState> {
  const { email, fleet } = await requireAct("operate");
  const given = form.get("text");
  // A browser sends line ends as two characters.
  const text = typeof given === "string" ? given.replaceAll("\r\n", "\n").trim() : "";
  const turn = before.turn + 1;
  if (text === "" || text.length > mostNoteChars)
    return {
      error: `A note has 1 to 2,000 characters; this one has ${text.length}.`,
      done: null,
      text: text.slice(0, mostNoteChars),
      turn,
    };
  const machineId = String(form.get("machine") ?? "");
  const made = await addNote(fleet, machineId, text, { actor: email, now: new Date() });
  if (made === null) return { error: "This machine was retired, so nothing was stored.", done: null, text, turn };
  revalidatePath(`/machines/${machineId}`);
  return { error: null, done: "Saved.", text: "", turn };
}

/** Removes a note: one's own, or, for who may administer, anybody's. */
export async function removeNote(form: FormData): Promise<void> {
  const { email, fleet, access } = await requireAct("operate");
  await deleteNote(fleet, String(form.get("id") ?? ""), { actor: email, anyones: allows(access, "administer") });
  revalidatePath("/machines/[id]", "page");
}
