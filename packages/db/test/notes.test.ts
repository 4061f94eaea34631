import { describe, expect, it } from "vitest";
import { listAudit } from "../src/audit.ts";
import { retireMachine } from "../src/machines-admin.ts";
import { addNote, deleteNote, listNotes } from "../src/notes.ts";
import { machine, minutesAgo, now, useDatabase } from "./fixtures.ts";

describe("notes on a machine", () => {
  const at = useDatabase();

  it("are kept with who wrote them, newest first, and go with the machine", async () => {
    const { db } = at;
    const id = await machine(db, "LT-1");
    await addNote(db, id, "User is on leave\u0000", { actor: "ann", now: minutesAgo(5) });
    await addNote(db, id, "x".repeat(3_000), { actor: "bob", now });
    const notes = await listNotes(db, id);
    expect(notes.map((note) => [note.author, note.text.length])).toEqual([
      ["bob", 2_000],
      ["ann", 17],
    ]);
    expect(await addNote(db, "nonsense", "x", { actor: "ann", now })).toBeNull();
    await retireMachine(db, id, { actor: "ann", now });
    expect(await listNotes(db, id)).toEqual([]);
  });

  it("are removed by who wrote them, or by who may remove anybody's; the log keeps the words", async () => {
    const { db } = at;
    const id = await machine(db, "LT-2");
    const note = await addNote(db, id, "ask the user again", { actor: "ann", now });
    expect(await deleteNote(db, note?.id ?? "", { actor: "bob", anyones: false })).toBe(false);
    expect(await deleteNote(db, note?.id ?? "", { actor: "bob", anyones: true })).toBe(true);
    expect(await deleteNote(db, note?.id ?? "", { actor: "ann", anyones: false })).toBe(false);
    expect(
      (await listAudit(db, { subject: id })).items.map((entry) => [entry.action, entry.before ?? entry.after]),
    ).toEqual([
      ["note.delete", { author: "ann", text: "ask the user again" }],
      ["note.add", { text: "ask the user again" }],
    ]);
  });
});
