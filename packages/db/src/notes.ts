import { randomUUID } from "node:crypto";
import { writeAudit } from "./audit.ts";
import { Prisma } from "./client.ts";
import { isUuid } from "./cursor.ts";
import { type Fleet, type FleetReader, machines, ofMachines } from "./scope.ts";
import { toSqlText } from "./sql-text.ts";

/** What somebody of the staff wrote about a machine. Time is ISO 8601 in UTC. */
export interface MachineNote {
  id: string;
  at: string;
  author: string;
  text: string;
}

/** Characters of a note at most. */
export const mostNoteChars = 2_000;
/** Notes of a machine that are shown: the newest. */
const mostShown = 100;

/** The notes on a machine, newest first. Not an id: none. */
export async function listNotes(db: FleetReader, machineId: string): Promise<MachineNote[]> {
  if (!isUuid(machineId)) return [];
  const rows = await db.prisma.$queryRaw<(Omit<MachineNote, "at"> & { at: Date })[]>`
    SELECT n.id::text AS id, n.at, n.author, n.text FROM machine_notes n
    WHERE n.machine_id = ${machineId}::uuid AND ${ofMachines(db, Prisma.sql`n.machine_id`)}
    ORDER BY n.at DESC, n.id LIMIT ${mostShown}`;
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}

/** Writes a note on a machine; longer ones are cut. Null when there is no such machine. */
export async function addNote(
  db: Fleet,
  machineId: string,
  text: string,
  by: { actor: string; now: Date },
): Promise<MachineNote | null> {
  if (!isUuid(machineId)) return null;
  const note = { id: randomUUID(), author: by.actor, text: toSqlText(text.slice(0, mostNoteChars)) };
  return db.prisma.$transaction(async (prisma) => {
    const made = await prisma.$executeRaw`
      INSERT INTO machine_notes (id, machine_id, at, author, text)
      SELECT ${note.id}::uuid, m.id, ${by.now}, ${note.author}, ${note.text}
      FROM ${machines(db)} m WHERE m.id = ${machineId}::uuid`;
    if (made === 0) return null;
    await writeAudit(
      { prisma },
      { actor: by.actor, action: "note.add", subject: machineId, after: { text: note.text } },
    );
    await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
    return { ...note, at: by.now.toISOString() };
  });
}

/** Removes a note: its author's own, or anybody's where `anyones` is true. False when there is none such. */
export async function deleteNote(db: Fleet, id: string, by: { actor: string; anyones: boolean }): Promise<boolean> {
  if (!isUuid(id)) return false;
  return db.prisma.$transaction(async (prisma) => {
    const [gone] = await prisma.$queryRaw<{ machineId: string; author: string; text: string }[]>`
      DELETE FROM machine_notes n WHERE n.id = ${id}::uuid AND (${by.anyones} OR n.author = ${by.actor})
        AND ${ofMachines(db, Prisma.sql`n.machine_id`)}
      RETURNING n.machine_id::text AS "machineId", n.author, n.text`;
    if (!gone) return false;
    const { machineId, ...before } = gone;
    await writeAudit({ prisma }, { actor: by.actor, action: "note.delete", subject: machineId, before });
    await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
    return true;
  });
}
