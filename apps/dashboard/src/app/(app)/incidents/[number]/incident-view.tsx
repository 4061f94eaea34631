import { getCause, readAttributions } from "@lynceus/db/causes";
import { inSnapshot } from "@lynceus/db/client";
import type { CohortGroup } from "@lynceus/db/cohort-sites";
import { CursorError } from "@lynceus/db/cursor";
import {
  incidentFindings,
  incidentSites,
  incidentSpread,
  namedMachines,
  relatedIncidents,
} from "@lynceus/db/incident-page";
import { getIncident, listIncidentEvents, listIncidentMembers } from "@lynceus/db/incidents";
import type { FleetReader } from "@lynceus/db/scope";
import { listVerifications } from "@lynceus/db/verifications";
import { incidentTicketText } from "@lynceus/diagnosis/incident-ticket";
import { textsOf } from "@lynceus/diagnosis/texts";
import { allows } from "@lynceus/protocol/access";
import { formatCount, formatTime, safeText } from "@lynceus/protocol/present";
import type { Cause } from "@lynceus/protocol/read-api";
import type { Incident, IncidentEvent } from "@lynceus/protocol/read-api-incidents";
import type { Verification, VerificationMachineState } from "@lynceus/protocol/read-api-tools";
import Link from "next/link";
import { Candidates } from "../../../../components/causes/candidates.tsx";
import { PrecedingChange } from "../../../../components/causes/preceding-change.tsx";
import { VerifyFix } from "../../../../components/causes/verify-fix.tsx";
import { Waffle } from "../../../../components/causes/waffle.tsx";
import {
  causeSubject,
  explainsText,
  healthyText,
  keyTitles,
  locationWords,
  misfitText,
  noCauseText,
  subjectOf,
  valueText,
} from "../../../../components/causes/words.ts";
import { IncidentActs } from "../../../../components/incidents/acts.tsx";
import styles from "../../../../components/incidents/incidents.module.css";
import { Members } from "../../../../components/incidents/members.tsx";
import { Misfits } from "../../../../components/incidents/misfits.tsx";
import { Related } from "../../../../components/incidents/related.tsx";
import { Spread, type SpreadEvent } from "../../../../components/incidents/spread.tsx";
import { shownEvents, Timeline } from "../../../../components/incidents/timeline.tsx";
import {
  type Clock,
  incidentHref,
  incidentTerm,
  mainAct,
  markOf,
  sitesText,
  sizeSentence,
  stateChip,
  verifiedText,
} from "../../../../components/incidents/words.ts";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { FixPanel } from "../../../../components/machine/fix-panel.tsx";
import { TicketButtons } from "../../../../components/machine/ticket-buttons.tsx";
import { RememberZone } from "../../../../components/machines/remember-zone.tsx";
import { Chip } from "../../../../components/status/chip.tsx";
import { StatusMark } from "../../../../components/status/status-mark.tsx";
import { environment } from "../../../../lib/env.ts";
import { requireRight } from "../../../../lib/session.ts";
import { alerting, personOf, reachable } from "../../../../lib/told.ts";
import { verificationAnswer } from "../../../../lib/verification-answer.ts";
import { viewerZone, zoneName } from "../../../../lib/zone.ts";

const firstMembers = 10;
const furtherMembers = 100;
const mostMembers = 500;
const firstEvents = 60;

const iso = (at: string) => Date.parse(at);

/** What is the cause, is it handled, did the fix work? */
export async function IncidentView({ number, search }: { number: number; search: Record<string, unknown> }) {
  const { access, fleet, email } = await requireRight("read");
  const zone = await viewerZone();
  const asked = Number(search.members);
  const limit = Number.isSafeInteger(asked) ? Math.min(Math.max(asked, firstMembers), mostMembers) : firstMembers;
  const all = search.timeline === "all";
  const read = await inSnapshot(fleet, async (db) => {
    const incident = await getIncident(db, number);
    if (incident === null) return null;
    const cause = incident.causeId === null ? null : await getCause(db, incident.causeId);
    const attributions = await readAttributions(db, { simulated: incident.simulated });
    const members = await listIncidentMembers(db, number, { limit });
    return {
      incident,
      cause,
      attribution: attributions.find((one) => one.location === incident.location) ?? null,
      members,
      now: iso(members.asOf),
      events: await eventsOf(db, number, all ? 500 : firstEvents, search.before),
      spread: await incidentSpread(db, number),
      findings: await incidentFindings(db, number),
      related: await relatedIncidents(db, number),
      sites: await incidentSites(db, number),
      misfits: cause && {
        failing: await namedMachines(
          db,
          cause.counterExamples.failing.map(({ id }) => id),
        ),
        healthy: await namedMachines(
          db,
          cause.counterExamples.healthy.map(({ id }) => id),
        ),
      },
      verification: await latestVerification(db, number),
    };
  });
  if (read === null) return null;
  const { incident, cause, attribution, members, now, spread, findings, related, misfits, verification } = read;
  const clock: Clock = { now, zone };
  const { config } = await alerting();
  const over = incident.endedAt !== null;
  const chip = stateChip(incident, clock);
  const texts = textsOf(findings[0]?.pattern ?? incident.pattern ?? "");
  const fix = texts?.remedy[0]?.what ?? null;
  const zoneText = zoneName(zone, now);
  const events = shownEvents(read.events.items, all);
  const own = personOf(config, email);
  const operate = allows(access, "operate");
  const silentSite = incident.kind === "silent";
  const left = incident.failing + incident.silent;
  const main = mainAct(incident, verification?.verification ?? null);
  const sentence = cause && !over ? causeText(cause, clock) : `${incident.title}. ${sizeSentence(incident)}`;
  const ticket = incidentTicketText(incident, {
    now,
    link: new URL(incidentHref(number), environment().publicUrl).href,
    sentence,
    notes: read.events.items
      .filter(({ kind }) => kind === "note")
      .map(({ at, actor, text }) => ({ at: iso(at), actor, text })),
  });
  const acknowledged = incident.acknowledged && {
    name: safeText(incident.acknowledged.by, 64),
    at: iso(incident.acknowledged.at),
    own: incident.acknowledged.by === own?.name || incident.acknowledged.by === email,
  };
  const people = reachable(config);

  return (
    <div className={styles.page}>
      <RememberZone zone={zone} />
      <PageHeader title={number} above={[{ title: "Incidents", href: "/incidents" }]} {...(over ? {} : { asOf: now })}>
        <TicketButtons ticket={ticket} />
        <IncidentActs
          number={number}
          main={main}
          owner={acknowledged}
          over={over}
          allowed={operate}
          left={left}
          members={left}
          again={verification !== null}
          people={operate ? people.people.filter(({ id }) => id !== `person:${own?.id}`) : []}
          receivers={operate ? people.receivers : []}
          silenceHref={`/silences?match=${encodeURIComponent(incidentTerm(number))}`}
          now={now}
        />
      </PageHeader>
      <div className={styles.chips}>
        <Chip tone={chip.tone}>
          <StatusMark status={markOf(incident)} size={10} />
          <bdi>{chip.text}</bdi>
        </Chip>
        {over ? null : acknowledged === null ? (
          <Chip>Not acknowledged</Chip>
        ) : (
          <Chip>
            <bdi>
              Acknowledged by {acknowledged.name} {formatTime(acknowledged.at, clock)}
            </bdi>
          </Chip>
        )}
        {verification?.verification.state === "running" ? <Chip tone="ok">Fix being verified</Chip> : null}
        {incident.simulated ? <Chip>simulated</Chip> : null}
        <span className={styles.about}>
          {incident.pattern === null ? (
            "no known pattern"
          ) : (
            <Link href={`/patterns/${incident.pattern}`} prefetch={false}>
              <code>{incident.pattern}</code>
            </Link>
          )}
          <bdi>
            {[
              "",
              incident.severity,
              `urgency ${incident.urgency}`,
              `confidence ${incident.confidence}`,
              incident.location === "inside" ? null : `machines ${locationWords[incident.location]}`,
              incident.sites.length === 0 ? null : sitesText(incident.sites, 4),
            ]
              .filter((part) => part !== null)
              .join(" · ")}
          </bdi>
        </span>
      </div>
      <h1 className={styles.lede} data-kind={incident.kind} data-over={over}>
        {cause && !over ? (
          <CauseLede cause={cause} clock={clock} />
        ) : (
          <>
            <em>
              <bdi>{safeText(incident.title)}</bdi>
            </em>
            . {sizeSentence(incident)}
          </>
        )}{" "}
        <span className={styles.quiet}>{nextText(incident, verification?.verification ?? null, fix, clock)}</span>
      </h1>
      <Related incident={incident} related={related} clock={clock} />
      <div className={styles.two}>
        <Compared
          incident={incident}
          cause={cause}
          candidates={attribution?.candidates ?? []}
          failing={attribution?.failing ?? null}
          healthy={attribution?.healthy ?? null}
          noCause={attribution === null ? null : noCauseText(attribution)}
          clock={clock}
        />
        <VerifyFix
          cohort={{ q: incidentTerm(number) }}
          members={over || silentSite ? 0 : left}
          first={verification}
          allowed={operate}
          now={now}
          zone={zone}
          headed
        >
          <Standing sites={read.sites} />
        </VerifyFix>
      </div>
      <div className={styles.two}>
        <div className={styles.stack}>
          <Spread
            number={number}
            points={spread}
            events={chartEvents(incident, cause, read.events.items, verification?.verification ?? null)}
            endedAt={incident.endedAt === null ? null : iso(incident.endedAt)}
            clock={clock}
            zoneText={zoneText}
          />
          {cause ? <FixPanel texts={texts} none="Its machines have no finding that says a step." /> : null}
        </div>
        <div className={styles.stack}>
          {cause && misfits ? (
            <Misfits
              subject={subjectOf(cause)}
              failing={{ machines: misfits.failing.slice(0, 6), total: cause.failingWithout }}
              healthy={{ machines: misfits.healthy.slice(0, 3), total: cause.healthyWith }}
              unknown={cause.failingUnknown + cause.healthyUnknown}
            />
          ) : (
            <FixPanel texts={texts} none="Its machines have no finding that says a step." />
          )}
          {cause ? <PrecedingChange cause={cause} now={now} zone={zone} /> : null}
        </div>
      </div>
      <div className={styles.two}>
        <Members
          number={number}
          members={members.items}
          total={members.total}
          silentSite={silentSite}
          next={
            members.nextCursor === null || limit >= mostMembers
              ? null
              : `${incidentHref(number)}?members=${limit + furtherMembers}#members`
          }
          clock={clock}
        />
        <Timeline
          events={events}
          sub={toldText(incident, read.events.items)}
          more={
            all ? (
              <Link className="link" href={`${incidentHref(number)}#timeline`} scroll={false}>
                Decisions alone
              </Link>
            ) : (
              <Link className="link" href={`${incidentHref(number)}?timeline=all#timeline`} scroll={false}>
                Every entry
              </Link>
            )
          }
          {...(read.events.nextCursor === null
            ? {}
            : {
                foot: (
                  <p className={styles.more}>
                    <Link
                      className="link"
                      href={`${incidentHref(number)}?timeline=all&before=${encodeURIComponent(read.events.nextCursor)}#timeline`}
                      scroll={false}
                    >
                      Earlier →
                    </Link>
                  </p>
                ),
              })}
          clock={clock}
        />
      </div>
    </div>
  );
}

/** A page of the timeline; from the latest where the address names no place in it. */
async function eventsOf(db: FleetReader, number: number, limit: number, before: unknown) {
  const read = (cursor: string | null) => listIncidentEvents(db, number, { limit, cursor });
  return read(typeof before === "string" ? before : null).catch((error: unknown) => {
    if (error instanceof CursorError) return read(null);
    throw error;
  });
}

async function latestVerification(db: FleetReader, number: number) {
  const [newest] = await listVerifications(db, { q: incidentTerm(number), limit: 1 });
  return newest === undefined ? null : verificationAnswer(db, newest.id);
}

const squares = { failing: "still", silent: "unreachable", verified: "fixed" } as const;

/** One square a member, by site, before anything was verified. */
function Standing({ sites }: { sites: Awaited<ReturnType<typeof incidentSites>> }) {
  const groups = new Map<string | null, CohortGroup<VerificationMachineState>>();
  for (const { site, state, machines } of sites) {
    const before = groups.get(site) ?? { name: site, states: {}, machines: 0 };
    groups.set(site, {
      name: site,
      states: { ...before.states, [squares[state]]: machines },
      machines: before.machines + machines,
    });
  }
  return groups.size === 0 ? null : <Waffle sites={[...groups.values()]} />;
}

function CauseLede({ cause, clock }: { cause: Cause; clock: Clock }) {
  const misfits = misfitText(cause.failingWithout);
  return (
    <>
      <em>
        <bdi>{causeSubject(cause, clock)}</bdi>
      </em>{" "}
      {explainsText(cause)}. {healthyText(cause)}.{misfits === null ? "" : ` ${misfits}.`}
    </>
  );
}

function causeText(cause: Cause, clock: Clock): string {
  const misfits = misfitText(cause.failingWithout);
  return `${causeSubject(cause, clock)} ${explainsText(cause)}. ${healthyText(cause)}.${misfits === null ? "" : ` ${misfits}.`}`;
}

/** After what is known: whether the fix worked, else what fixes it; of what is over, how it ended. */
function nextText(incident: Incident, verification: Verification | null, fix: string | null, clock: Clock): string {
  const verified = verifiedText(verification, clock);
  const { ended } = incident;
  if (ended !== null) {
    if (ended.how === "closed") return ended.note === "" ? "" : safeText(ended.note, 500);
    if (ended.how === "not-verified") return "Most of its machines fell silent and were never seen well again.";
    return verified ?? "";
  }
  return (
    verified ?? (fix === null ? "" : `What fixes it: ${fix.charAt(0).toLowerCase()}${fix.slice(1).replace(/\.$/, "")}.`)
  );
}

/** What the failing share and the healthy do not; where no cause is named, why. */
function Compared(props: {
  incident: Incident;
  cause: Cause | null;
  candidates: Parameters<typeof Candidates>[0]["candidates"];
  failing: number | null;
  healthy: number | null;
  noCause: string | null;
  clock: Clock;
}) {
  const { incident, cause, candidates, failing, healthy, noCause, clock } = props;
  const over = incident.endedAt !== null;
  const at = cause?.updatedAt ?? null;
  const also =
    cause === null || cause.also.length === 0
      ? null
      : `The same machines also share: ${cause.also.map((one) => `${keyTitles[one.key].toLowerCase()} ${valueText(one)}`).join(", ")}. The more specific one is named.`;
  const shown = cause !== null && (over || cause.clearedAt !== null) ? [cause] : over ? [] : candidates;
  return (
    <Candidates
      candidates={shown}
      named={cause}
      failing={failing ?? cause?.of ?? incident.failing}
      healthy={healthy ?? (cause === null ? 0 : cause.healthyWith + cause.healthyWithout + cause.healthyUnknown)}
      sub={at === null ? "now" : `as of ${formatTime(iso(at), clock)}`}
      note={
        cause === null
          ? (noCause ??
            (shown.length === 0
              ? null
              : "Compared were all failing machines of its location; none of these values is named as the cause of this incident."))
          : also
      }
    />
  );
}

/** At most four lines of the chart: the change before, the opening, the acknowledgement, the fix. */
function chartEvents(
  incident: Incident,
  cause: Cause | null,
  events: readonly IncidentEvent[],
  verification: Verification | null,
): SpreadEvent[] {
  const note = events.filter(({ kind }) => kind === "note").at(-1);
  const found: SpreadEvent[] = [
    ...(cause?.change ? [{ at: iso(cause.change.at), label: "change" }] : []),
    { at: iso(incident.openedAt), label: "opened" },
    ...(incident.acknowledged ? [{ at: iso(incident.acknowledged.at), label: "ack." }] : []),
    ...(verification
      ? [{ at: iso(verification.createdAt), label: "verify" }]
      : note
        ? [{ at: iso(note.at), label: "note" }]
        : []),
  ];
  return found.sort((a, b) => a.at - b.at);
}

/** "347 machines, 1 page sent". */
function toldText(incident: Incident, events: readonly IncidentEvent[]): string {
  const told = events.filter(({ notice }) => notice !== null);
  const pages = told.filter(({ text }) => /^(Page|Escalation)\b/.test(text)).length;
  const most = incident.peak ?? incident.failing;
  const parts = [
    `${formatCount(most)} ${most === 1 ? "machine" : "machines"}`,
    pages > 0 ? `${formatCount(pages)} ${pages === 1 ? "page" : "pages"} sent` : null,
    told.length > pages
      ? `${formatCount(told.length - pages)} ${pages > 0 ? "other " : ""}${told.length - pages === 1 ? "notice" : "notices"}`
      : null,
    told.length === 0 ? "nobody was told" : null,
  ];
  return parts.filter((part) => part !== null).join(", ");
}
