import { randomUUID } from "node:crypto";
import { type ComposeContext, compose, threadOf } from "@lynceus/incidents/compose";
import type { Incident } from "@lynceus/incidents/types";
import { isWholeFleet } from "@lynceus/protocol/access";
import { writeAudit } from "./audit.ts";
import { Prisma } from "./client.ts";
import { readIncident, storeEvents } from "./incident-turns.ts";
import type { By } from "./machines-admin.ts";
import { addDeliveryJobs } from "./notices.ts";
import { type Fleet, machines } from "./scope.ts";
import { toSqlText } from "./sql-text.ts";

/*
 * What people do with an incident. Each act changes its row and its timeline and is audited; the leading collector sees it
 * at its next turn, a moment later, and tells whoever is to be told.
 */

/** Why an act was refused; its message is for whoever tried. */
export class IncidentActError extends Error {
  override readonly name = "IncidentActError";
}

/** Who acts: `actor` for the audit log, `name` as people call them, where it is another. */
export interface Actor extends By {
  name?: string;
}
const nameOf = ({ actor, name }: Actor): string => name ?? actor;

interface Locked {
  number: number;
  endedAt: Date | null;
  acknowledgedBy: string | null;
  failing: number;
}

interface Act {
  readonly action: string;
  readonly kind: string;
  readonly reason: string | null;
  readonly text: string;
  readonly after?: unknown;
}

/** An act on an incident that is seen. False where there is none of this number. */
async function perform(
  db: Fleet,
  number: number,
  by: Actor,
  act: (incident: Locked, prisma: Prisma.TransactionClient) => Promise<Act | null>,
): Promise<boolean> {
  if (!Number.isSafeInteger(number) || number < 1 || number >= 2 ** 31) return false;
  return db.prisma.$transaction(async (prisma) => {
    const seen = isWholeFleet(db.scope)
      ? Prisma.sql`TRUE`
      : Prisma.sql`EXISTS (SELECT FROM incident_members b JOIN ${machines(db)} m ON m.id = b.machine_id
          WHERE b.incident = i.number AND b.left_at IS NULL)`;
    const [incident] = await prisma.$queryRaw<Locked[]>`
      SELECT i.number, i.ended_at AS "endedAt", i.acknowledged_by AS "acknowledgedBy", i.failing FROM incidents i
      WHERE i.number = ${number} AND ${seen} FOR UPDATE OF i`;
    if (!incident) return false;
    const done = await act(incident, prisma);
    // What is so already is no act.
    if (!done) return true;
    const { action, kind, reason, text, after } = done;
    await storeEvents({ prisma }, [
      { incident: number, at: by.now.getTime(), kind, reason, text: toSqlText(text), detail: {}, actor: nameOf(by) },
    ]);
    await writeAudit(
      { prisma },
      { actor: by.actor, action, subject: String(number), ...(after === undefined ? {} : { after }) },
    );
    await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
    return true;
  });
}

function requireOpen({ number, endedAt }: Locked): void {
  if (endedAt !== null) throw new IncidentActError(`incident ${number} is over; there is nothing to do about it`);
}

/**
 * Somebody has it: nobody is reminded and no further step is taken. Whoever has it already stays the one who has it.
 * @param via dashboard, api, link, or the id of the receiver that told us; `person` as in the alerting configuration.
 */
export const acknowledgeIncident = (
  db: Fleet,
  number: number,
  by: Actor & { via: string; person?: string | null },
): Promise<boolean> =>
  perform(db, number, by, async (incident, prisma) => {
    requireOpen(incident);
    if (incident.acknowledgedBy !== null) return null;
    await prisma.$executeRaw`
      UPDATE incidents SET acknowledged_at = ${by.now}, acknowledged_by = ${toSqlText(nameOf(by))},
        acknowledged_via = ${by.via}, acknowledged_person = ${by.person ?? null},
        state = CASE WHEN state = 'open' THEN 'acknowledged' ELSE state END WHERE number = ${number}`;
    return {
      action: "incident.acknowledge",
      kind: "acknowledged",
      reason: "acknowledged",
      text: `Acknowledged by ${nameOf(by)}`,
      after: { via: by.via },
    };
  });

/** Nobody has it any more: escalation begins anew. */
export const releaseIncident = (db: Fleet, number: number, by: Actor): Promise<boolean> =>
  perform(db, number, by, async (incident, prisma) => {
    requireOpen(incident);
    if (incident.acknowledgedBy === null) return null;
    await prisma.$executeRaw`
      UPDATE incidents SET acknowledged_at = NULL, acknowledged_by = NULL, acknowledged_via = NULL,
        acknowledged_person = NULL, state = CASE WHEN state = 'acknowledged' THEN 'open' ELSE state END
      WHERE number = ${number}`;
    return {
      action: "incident.release",
      kind: "released",
      reason: "released",
      text: `Released by ${nameOf(by)}; ${incident.acknowledgedBy} had it`,
    };
  });

/**
 * It is over for people. Where members fail, `note` must say why: they stay its members, and only other machines of the
 * same cause open it again. Throws an IncidentActError without a note.
 */
export const closeIncident = (db: Fleet, number: number, by: Actor & { note: string }): Promise<boolean> =>
  perform(db, number, by, async (incident, prisma) => {
    requireOpen(incident);
    const note = by.note.trim();
    if (incident.failing > 0 && note === "")
      throw new IncidentActError(
        `${incident.failing} of its machines fail; say in note why it is closed, e.g. "known, fixed by Friday"`,
      );
    await prisma.$executeRaw`
      UPDATE incidents SET state = 'resolved', ended_at = ${by.now}, ended_how = 'closed', ended_by = ${toSqlText(nameOf(by))},
        ended_note = ${toSqlText(note)}, memory = jsonb_set(memory, '{joinedSinceClose}', '0') WHERE number = ${number}`;
    return {
      action: "incident.close",
      kind: "closed",
      reason: "by-hand",
      text: note === "" ? `Closed by ${nameOf(by)}` : `Closed by ${nameOf(by)}: ${note}`,
      after: { note, failing: incident.failing },
    };
  });

/** Something to remember, on the timeline; also when it is over. */
export const noteIncident = (db: Fleet, number: number, by: Actor & { text: string }): Promise<boolean> =>
  perform(db, number, by, async () => ({
    action: "incident.note",
    kind: "note",
    reason: null,
    text: by.text,
    after: { text: by.text },
  }));

/** Somebody else has it from now on, whoever had it; where nobody had it, this acknowledges it. */
export const takeOverIncident = (
  db: Fleet,
  number: number,
  by: Actor & { via: string; person?: string | null },
): Promise<boolean> =>
  perform(db, number, by, async (incident, prisma) => {
    requireOpen(incident);
    if (incident.acknowledgedBy === nameOf(by)) return null;
    await prisma.$executeRaw`
      UPDATE incidents SET acknowledged_at = ${by.now}, acknowledged_by = ${toSqlText(nameOf(by))},
        acknowledged_via = ${by.via}, acknowledged_person = ${by.person ?? null},
        state = CASE WHEN state = 'open' THEN 'acknowledged' ELSE state END WHERE number = ${number}`;
    return {
      action: "incident.take-over",
      kind: "acknowledged",
      reason: "acknowledged",
      text:
        incident.acknowledgedBy === null
          ? `Acknowledged by ${nameOf(by)}`
          : `Taken over by ${nameOf(by)}; ${incident.acknowledgedBy} had it`,
      after: { via: by.via, from: incident.acknowledgedBy },
    };
  });

/** Whom a person has told of an incident, and how. */
export interface ToldByHand {
  /** `handed-over`: that person is asked to take it over, and has a link that does it. */
  readonly reason: "handed-over" | "sent-by-hand";
  /** "L. Tan", "Proxy team". */
  readonly to: string;
  readonly contacts: readonly { readonly receiver: string; readonly person: string | null }[];
  readonly compose: Omit<ComposeContext, "now">;
}

/**
 * Tells somebody of an incident now, whatever the routes say. Who has it keeps it until another one takes it over: it is
 * nobody's at no moment. Who was told hears of its end as well.
 */
export const tellOfIncident = (db: Fleet, number: number, by: Actor & ToldByHand): Promise<boolean> =>
  perform(db, number, by, async (locked, prisma) => {
    requireOpen(locked);
    const incident = await readIncident({ prisma }, number);
    if (!incident) return null;
    const { reason, to, contacts } = by;
    const now = by.now.getTime();
    const handed = reason === "handed-over";
    const why = handed ? `${nameOf(by)} hands it over to you` : `${nameOf(by)} had it sent`;
    const { installation } = by.compose;
    const turn = randomUUID().slice(0, 8);
    const notices = contacts.map(({ receiver, person }) => {
      const key = `${installation}-${number}-${turn}-${receiver}`;
      const thread = threadOf(installation, number);
      const kind = handed ? ("escalated" as const) : ("reminder" as const);
      const body = compose({ kind, key, thread, reason: why, incidents: [incident] }, { ...by.compose, now });
      const { urgency } = incident;
      return { key, incident: number, receiver, person, kind, reason, urgency, thread, body };
    });
    await addDeliveryJobs({ prisma }, notices, now);
    await rememberTold(prisma, incident, contacts);
    await storeEvents(
      { prisma },
      notices.map(({ key, kind, receiver, person }) => ({
        incident: number,
        at: now,
        kind: "told",
        reason,
        text: toSqlText(`Notice to ${to}: ${handed ? "handed over" : "sent"} by ${nameOf(by)}`),
        detail: { kind, notice: key, person, receiver },
      })),
    );
    return {
      action: handed ? "incident.hand-over" : "incident.tell",
      kind: handed ? "handed-over" : "sent",
      reason,
      text: handed
        ? `Handed over to ${to} by ${nameOf(by)}; ${locked.acknowledgedBy ?? "nobody"} has it until ${to} acknowledges`
        : `${to} told by ${nameOf(by)}`,
      after: { to, receivers: contacts.map(({ receiver }) => receiver) },
    };
  });

/** The receivers hear of the end by a route that told of the incident, where there is one. */
async function rememberTold(
  prisma: Prisma.TransactionClient,
  { number, tellings }: Incident,
  contacts: ToldByHand["contacts"],
): Promise<void> {
  const [route] = Object.keys(tellings)
    .filter((id) => tellings[id]?.toldAt !== null)
    .sort();
  if (route === undefined) return;
  const known = tellings[route]?.receivers ?? {};
  const added = Object.fromEntries(
    contacts.filter(({ receiver }) => !(receiver in known)).map(({ receiver }) => [receiver, number]),
  );
  await prisma.$executeRaw`
    UPDATE incidents SET memory = jsonb_set(memory, ARRAY['tellings', ${route}, 'receivers'],
      (memory #> ARRAY['tellings', ${route}, 'receivers']) || ${JSON.stringify(added)}::jsonb)
    WHERE number = ${number}`;
}
