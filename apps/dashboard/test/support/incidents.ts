import { currentAlerting, saveAlerting } from "@lynceus/db/alerting";
import { acknowledgeIncident, noteIncident } from "@lynceus/db/incident-acts";
import { readFailingMachines, reportingBySite } from "@lynceus/db/incident-machines";
import { incidentTurn, readMembers } from "@lynceus/db/incident-turns";
import { takeLease } from "@lynceus/db/lease";
import { claimNotice, dueNotices, type Settlement, settleNotice } from "@lynceus/db/notices";
import type { Fleet } from "@lynceus/db/scope";
import { createSilence } from "@lynceus/db/silences";
import { textsOf } from "@lynceus/diagnosis/texts";
import { mutersAt } from "@lynceus/incidents/mute";
import { plan } from "@lynceus/incidents/plan";
import { reconcile } from "@lynceus/incidents/reconcile";
import { siteKey } from "@lynceus/incidents/spread";
import { newSecretKey, parseKeyRing } from "@lynceus/notify/key-ring";
import { receiverSecretPlace, sealSecret } from "@lynceus/notify/sealed-secret";
import { type AlertingConfig, alertingConfigSchema } from "@lynceus/protocol/alerting";
import type { PatternId } from "@lynceus/protocol/names";
import { runMigrations } from "graphile-worker";

/*
 * Incidents of the seeded fleet, as the leading collector makes them: the same pure packages decide, the same queries
 * store, turn after turn of the last hour. What stands in for a collector here is the loop and the receivers' answers.
 */

const minute = 60_000;
const lease = "incidents";
const holder = "seed";

/** Of the seeded installation: dashboard and tests read the same sealed secrets and links. */
export const secretKey = newSecretKey();
export const keyRing = parseKeyRing(secretKey);

const day = (at: Date, days: number) => new Date(at.getTime() + days * 1440 * minute).toISOString().slice(0, 10);

/** Who is told, in the seeded installation. `now`: its shifts began two weeks before. */
export const seededAlerting = (now: Date): AlertingConfig =>
  alertingConfigSchema.parse({
    receivers: [
      { type: "ntfy", id: "huber-phone", name: "M. Huber's phone", zone: "Europe/Zurich" },
      { type: "ntfy", id: "tan-phone", name: "L. Tan's phone", zone: "Asia/Singapore" },
      {
        type: "email",
        id: "proxy-team",
        name: "Proxy team",
        settings: { host: "smtp.contoso.com", from: "lynceus@contoso.com", to: ["proxy-team@contoso.com"] },
      },
      { type: "slack", id: "monitoring", name: "#monitoring" },
    ],
    people: [
      { id: "m-huber", name: "M. Huber", email: "ada@contoso.com", receivers: ["huber-phone"] },
      { id: "l-tan", name: "L. Tan", email: "tan@contoso.com", receivers: ["tan-phone"] },
    ],
    schedules: [
      {
        id: "exchange",
        name: "Exchange",
        zone: "Europe/Zurich",
        layers: [
          {
            people: ["m-huber", "l-tan"],
            start: `${day(now, -14)}T00:00`,
            turn: { every: 4, unit: "week" },
          },
        ],
      },
      {
        id: "proxy-days",
        name: "Proxy team, office hours",
        zone: "Asia/Singapore",
        layers: [
          {
            people: ["l-tan"],
            start: `${day(now, -14)}T09:00`,
            turn: { every: 1, unit: "week" },
            hours: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "09:00", to: "17:00" }],
          },
        ],
      },
    ],
    escalations: [
      {
        id: "exchange",
        name: "Exchange on call",
        steps: [
          { targets: [{ schedule: "exchange" }], minutes: 20 },
          { targets: [{ person: "l-tan" }], minutes: 30 },
        ],
      },
    ],
    routes: [
      {
        id: "monitoring",
        name: "Sites that fell silent",
        match: "pattern:fleet-blind",
        receivers: ["monitoring"],
      },
      { id: "on-call", name: "Everything else", receivers: ["proxy-team"], escalation: "exchange" },
    ],
    maintenance: [
      {
        id: "vienna-sunday",
        name: "Vienna, Sunday",
        match: "site:Vienna",
        zone: "Europe/Vienna",
        when: { kind: "weekly", days: ["sun"], at: "02:00", minutes: 180 },
        note: "Proxy px2 is patched",
      },
    ],
    settings: { fallback: ["proxy-team"] },
  });

/** What the catalogue says of a pattern, as a message has it. */
function patternText(pattern: PatternId) {
  const texts = textsOf(pattern);
  const [step] = texts?.remedy ?? [];
  return texts && step
    ? { whoFixes: texts.whoFixes, firstStep: `${step.who}: ${step.what}`, reference: step.reference ?? null }
    : null;
}

/** One turn at an instant, with the machines that failed by then. */
export async function turn(db: Fleet, at: number): Promise<void> {
  await takeLease(db, lease, holder, 60);
  const { config } = await currentAlerting(db);
  const members = await readMembers(db);
  const known = [...members.failing.keys(), ...members.silent.keys()];
  const machines = (await readFailingMachines(db, known))
    .filter(({ counts, machine }) => counts && (machine.since <= at || known.includes(machine.id)))
    .map(({ machine }) => machine);
  const sites = new Map((await reportingBySite(db)).map((row) => [siteKey(row), row.machines]));
  await incidentTurn(db, { lease, holder, now: at }, async (world) => {
    const muters = mutersAt(world.silences, config.maintenance, at);
    const { importantTags, settings } = config;
    const { causes, incidents, nextNumber } = world;
    const turned = reconcile({
      now: at,
      machines,
      causes,
      incidents,
      members,
      sites,
      muters,
      importantTags,
      settings,
      nextNumber: Math.max(nextNumber, firstNumber),
      unexplainedAfter: 30 * minute,
    });
    const evidence = await world.evidence(machines.map(({ id }) => id));
    const witness = (number: number) =>
      turned.failing.get(number)?.flatMap(({ id }) => evidence.get(id) ?? [])[0] ?? null;
    const told = plan({
      now: at,
      incidents: turned.incidents.map((one) => ({ ...one, evidence: one.evidence ?? witness(one.number) })),
      spreads: turned.spreads,
      failing: turned.failing,
      config,
      muters,
      receivers: world.receivers,
      compose: { dashboardUrl: "https://lynceus.contoso.com", installation: "seed", textsOf: patternText },
    });
    return {
      incidents: told.incidents,
      members: turned.members,
      events: [...turned.events, ...told.events],
      notices: told.notices,
      settings,
    };
  });
}

/** Incidents are numbered from here, as in an installation that has run for a while. */
const firstNumber = 1180;

/** What a receiver answers to its next notices, in turn; then it takes everything. */
type Answer = Settlement["state"];

/** Sends what is due, with the receivers' answers as given. */
export async function deliverDue(db: Fleet, now: number, answers: Answer[] = []): Promise<void> {
  for (const id of await dueNotices(db, now)) {
    const { notice } = await claimNotice(db, id, { collectorId: holder, now });
    if (!notice) continue;
    const state = answers.shift() ?? "sent";
    const settlement: Settlement =
      state === "sent"
        ? { state, detail: "200: taken" }
        : state === "failed"
          ? { state, detail: "503: not now", afterMs: 4_000 }
          : { state, detail: "404: there is no such topic" };
    await settleNotice(db, notice, settlement, { now });
  }
}

export interface SeededIncidents {
  /** Of the machines that the new script sent to px1, acknowledged. */
  main: number;
  silenceId: string;
}

/**
 * The last hour's incidents of a fleet that `seedFleet` made. With `acknowledge` false nobody has the main one yet.
 */
export async function seedIncidents(
  db: Fleet,
  now = new Date(),
  { acknowledge = true } = {},
): Promise<SeededIncidents> {
  await runMigrations({ pgPool: db.pool });
  // What the collector keeps of each machine beside its row; incidents are made of machines that have it.
  await db.prisma.$executeRaw`
    INSERT INTO machine_traits (machine_id, route_kind, failed_targets)
    SELECT id, CASE WHEN route = 'direct' THEN 'direct' ELSE 'proxy' END,
      CASE WHEN status = 'failing' THEN ARRAY['ews'] ELSE ARRAY[]::text[] END
    FROM machines ON CONFLICT DO NOTHING`;
  const config = seededAlerting(now);
  const seal = (receiver: string, name: string, text: string) => ({
    [name]: sealSecret(keyRing, receiverSecretPlace(receiver, name), text),
  });
  await saveAlerting(
    db,
    {
      config,
      baseVersion: 0,
      note: "First set-up",
      secrets: {
        "huber-phone": seal("huber-phone", "topic", "huber-3f9a"),
        "tan-phone": seal("tan-phone", "topic", "tan-77c1"),
        monitoring: seal("monitoring", "url", "https://hooks.slack.com/services/T0/B0/abc"),
      },
    },
    { actor: "ada@contoso.com", now: new Date(now.getTime() - 3 * 1440 * minute) },
  );
  const ago = (minutes: number) => now.getTime() - minutes * minute;
  const silence = await createSilence(
    db,
    {
      match: "site:Zürich",
      comment: "ESET is being replaced, NET-4410",
      startsAt: new Date(ago(300)).toISOString(),
      endsAt: new Date(ago(-600)).toISOString(),
    },
    { actor: "ada@contoso.com", now: new Date(ago(300)) },
  );
  let main: number | null = null;
  for (let minutes = 60; minutes >= 0; minutes -= minutes > 50 ? 5 : 1) {
    const at = ago(minutes);
    await turn(db, at);
    await turn(db, at + 9_000);
    // The first try of the first page does not get through.
    await deliverDue(db, at + 10_000, main === null ? ["failed"] : []);
    await deliverDue(db, at + 20_000);
    const [found] = await db.prisma.incident.findMany({
      where: { simulated: false, kind: "failing", endedAt: null },
      orderBy: { failing: "desc" },
      take: 1,
    });
    main ??= found && found.failing >= 2 && found.title.includes("px1") ? found.number : null;
    if (acknowledge && minutes === 17 && main !== null)
      await acknowledgeIncident(db, main, {
        actor: "M. Huber",
        now: new Date(at + 30_000),
        via: "link",
        person: "m-huber",
      });
    if (acknowledge && minutes === 9 && main !== null)
      await noteIncident(db, main, {
        actor: "L. Tan",
        now: new Date(at + 30_000),
        text: "Fix: login exempt on px1 for mail.contoso.com",
      });
  }
  if (main === null) throw new Error("the seeded fleet made no incident of px1");
  return { main, silenceId: silence.id };
}
