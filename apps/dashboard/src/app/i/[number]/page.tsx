import { getCause } from "@lynceus/db/causes";
import { inSnapshot } from "@lynceus/db/client";
import { exampleMember, incidentFindings } from "@lynceus/db/incident-page";
import { getIncident } from "@lynceus/db/incidents";
import { getMachine } from "@lynceus/db/machines";
import { currentPolicy } from "@lynceus/db/policies";
import { textsOf } from "@lynceus/diagnosis/texts";
import { formatCount, formatTime, safeText } from "@lynceus/protocol/present";
import type { Incident } from "@lynceus/protocol/read-api-incidents";
import type { Metadata } from "next";
import Link from "next/link";
import { notFound, redirect } from "next/navigation";
import type { ReactNode } from "react";
import { explainsText, healthyText, misfitText } from "../../../components/causes/words.ts";
import {
  ageText,
  incidentHref,
  incidentTerm,
  markOf,
  remindedAt,
  sizeSentence,
  stateChip,
} from "../../../components/incidents/words.ts";
import { lanesOf, targetTabs } from "../../../components/machine/lanes.ts";
import { RememberZone } from "../../../components/machines/remember-zone.tsx";
import { Mark } from "../../../components/mark.tsx";
import { AcknowledgeForm } from "../../../components/phone/acknowledge-form.tsx";
import styles from "../../../components/phone/phone.module.css";
import { PhoneChain } from "../../../components/phone/phone-chain.tsx";
import { StayFresh } from "../../../components/phone/stay-fresh.tsx";
import { UndoButton } from "../../../components/phone/undo-button.tsx";
import { StartFrame } from "../../../components/shell/start-frame.tsx";
import { Chip } from "../../../components/status/chip.tsx";
import { StatusMark } from "../../../components/status/status-mark.tsx";
import { incidentNumber } from "../../../lib/incident-act.ts";
import { judgeLink, type Visitor, visitorOf } from "../../../lib/presser.ts";
import { currentUser } from "../../../lib/session.ts";
import { alerting, type Reachable, reachable } from "../../../lib/told.ts";
import { viewerZone, zoneName } from "../../../lib/zone.ts";

type Props = { params: Promise<{ number: string }>; searchParams: Promise<Record<string, unknown>> };

/** How long an acknowledgement can be taken back by one tap (ms). */
const undoMs = 10_000;

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const number = incidentNumber((await params).number);
  return { title: number === null ? "Incident" : `Incident ${number}` };
}

/** Can I go back to sleep? Opening it changes nothing: mail scanners follow links. */
export default async function ShortIncidentPage({ params, searchParams }: Props) {
  const number = incidentNumber((await params).number);
  const search = await searchParams;
  if (number === null) notFound();
  const { config } = await alerting();
  const user = await currentUser();
  const link = judgeLink(search.k, number, Date.now());
  const visitor = visitorOf(user, link, config);
  if (visitor === null) {
    if (user?.must) redirect(`/first/${user.must}`);
    if (link !== null) return <LinkIsOver number={number} expired={!link.ok && link.reason === "expired"} />;
    redirect(`/login?next=${encodeURIComponent(`/i/${number}`)}`);
  }
  const token = !visitor.signedIn && typeof search.k === "string" ? search.k : null;
  const zone = await zoneOf(visitor, config.receivers);
  const read = await readPage(visitor, number);
  if (read === null) notFound();
  const { incident, cause, machine, policy, findings, now } = read;
  const clock = { now, zone };
  const over = incident.endedAt !== null;
  const chip = stateChip(incident, clock);
  const texts = textsOf(findings[0]?.pattern ?? incident.pattern ?? "");
  const lanes = machine && incident.kind === "failing" ? chainOf(machine, policy, clock) : null;
  const direct = lanes?.lanes.find(({ id }) => id === "direct");
  const misfits = cause && misfitText(cause.failingWithout);
  const open = over ? (incident.peak ?? 0) : incident.failing;

  return (
    <main className={styles.phone}>
      <RememberZone zone={zone} />
      <StayFresh />
      <header className={styles.head}>
        <Link href={incidentHref(number)} prefetch={false}>
          <Mark />
          <span>Incident {number}</span>
        </Link>
        <time dateTime={new Date(now).toISOString()}>
          {formatTime(now, clock)} {zoneName(zone, now)}
        </time>
      </header>
      <div className={styles.chips}>
        <Chip tone={chip.tone}>
          <StatusMark status={markOf(incident)} size={11} />
          {over ? <bdi>{chip.text}</bdi> : `Open ${ageText(incident, now)}`}
        </Chip>
        {over ? null : incident.acknowledged === null ? (
          <Chip>Not acknowledged</Chip>
        ) : (
          <Chip tone="ok">
            <bdi>Acknowledged by {isOwn(incident, visitor) ? "you" : safeText(incident.acknowledged.by, 40)}</bdi>
          </Chip>
        )}
        {incident.simulated ? <Chip>simulated</Chip> : null}
      </div>
      <div className={styles.size}>
        <b>{formatCount(open)}</b>
        <span>
          {open === 1 ? "machine" : "machines"}
          {over ? " at most" : incident.kind === "silent" ? ": not heard of" : ": credential"}
          {over || incident.kind === "silent" ? null : (
            <>
              <br />
              prompts expected
            </>
          )}
        </span>
      </div>
      <h1 className={styles.lede} data-kind={incident.kind} data-over={over}>
        <em>
          <bdi>{safeText(incident.title)}</bdi>.
        </em>{" "}
        {direct?.answer.mark === "healthy" ? "Direct, Exchange answers." : ""}
      </h1>
      <p className={styles.said}>
        {cause && !over
          ? `${upperFirst(explainsText(cause))}. ${healthyText(cause)}.${misfits === null ? "" : ` ${misfits}.`}`
          : sizeSentence(incident)}
      </p>
      {lanes === null ? null : <PhoneChain lanes={lanes.lanes} through={lanes.through} />}
      {incident.sites.length === 0 ? null : (
        <table className={styles.sites}>
          <caption className="vh">Machines by site</caption>
          <tbody>
            {incident.sites.slice(0, 6).map(({ site, machines, of }) => (
              <tr key={site ?? ""}>
                <th scope="row">
                  <bdi>{site === null ? "no site" : safeText(site, 80)}</bdi>
                </th>
                <td>
                  <b>{formatCount(machines)}</b>
                </td>
                <td>{of === null ? "" : `of ${formatCount(of)}`}</td>
              </tr>
            ))}
            {incident.sites.length > 6 ? (
              <tr>
                <th scope="row">{formatCount(incident.sites.length - 6)} more sites</th>
                <td />
                <td />
              </tr>
            ) : null}
          </tbody>
        </table>
      )}
      {texts?.remedy[0] ? (
        <p className={styles.fix}>
          <b>What fixes it:</b> {texts.remedy[0].what.replace(/\.$/, "")} ({texts.remedy[0].who}).
        </p>
      ) : null}
      <Link className={styles.open} href={incidentHref(number)} prefetch={false}>
        Open the whole page
      </Link>
      <div className={styles.dock}>
        <div>
          <Dock
            incident={incident}
            visitor={visitor}
            token={token}
            chooses={search.choose === "hand-over" || search.choose === "tell" ? search.choose : null}
            said={typeof search.said === "string" ? search.said : null}
            people={reachable(config).people.filter(({ id }) => id !== `person:${visitor.person?.id}`)}
            receivers={reachable(config).receivers}
            team={teamOf(texts?.whoFixes ?? null, reachable(config).receivers)}
            again={remindedAt(incident, config.settings.acknowledgeMinutes)}
            clock={clock}
          />
        </div>
      </div>
    </main>
  );
}

const upperFirst = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

const isOwn = ({ acknowledged }: Incident, { presser, person }: Visitor): boolean =>
  acknowledged !== null && (acknowledged.by === presser?.name || acknowledged.by === person?.name);

/** The receiver of who fixes it, where one is called like that: "Proxy team". */
function teamOf(whoFixes: string | null, receivers: readonly Reachable[]): Reachable | null {
  const words = whoFixes?.toLowerCase() ?? "";
  return words === "" ? null : (receivers.find(({ name }) => words.startsWith(name.toLowerCase())) ?? null);
}

/** The viewer's zone; of who never was here, the one that their messages are in. */
async function zoneOf(
  { person }: Visitor,
  receivers: readonly { readonly id: string; readonly zone: string }[],
): Promise<string> {
  const own = await viewerZone();
  if (own !== "UTC") return own;
  return receivers.find(({ id }) => person?.receivers.includes(id))?.zone ?? own;
}

function readPage({ fleet }: Visitor, number: number) {
  return inSnapshot(fleet, async (db) => {
    const incident = await getIncident(db, number);
    if (incident === null) return null;
    const [moment] = await db.prisma.$queryRaw<{ asOf: Date }[]>`SELECT now() AS "asOf"`;
    const example = await exampleMember(db, number);
    return {
      incident,
      now: (moment?.asOf ?? new Date()).getTime(),
      cause: incident.causeId === null ? null : await getCause(db, incident.causeId),
      machine: example === null ? null : await getMachine(db, example),
      policy: (await currentPolicy(db))?.body ?? null,
      findings: await incidentFindings(db, number),
    };
  });
}

/** Where the line of sight ends on one of its machines, for what that machine's finding is about. */
function chainOf(
  machine: NonNullable<Awaited<ReturnType<typeof getMachine>>>,
  policy: Parameters<typeof lanesOf>[1]["policy"],
  clock: { now: number; zone: string },
) {
  const { facts, diagnosis, status } = machine;
  const configuration =
    diagnosis.findings.find(({ primary }) => primary)?.configurations[0] ??
    Object.values(facts.probes)[0]?.facts.configuration ??
    "";
  const [tab] = targetTabs(facts, policy, configuration);
  const target = tab?.id ?? Object.values(facts.probes)[0]?.facts.target;
  if (target === undefined) return null;
  const lanes = lanesOf(target, { facts, policy, configuration, status, ...clock });
  const [through = "the configured route"] = lanes.find(({ id }) => id === "configured")?.subtitles ?? [];
  return { lanes, through: through === "direct" ? "Direct" : `Through ${through.split(/[.:]/)[0]}` };
}

/** What can be done, by where it stands. One control is filled, and only as long as nobody has it. */
function Dock(props: {
  incident: Incident;
  visitor: Visitor;
  token: string | null;
  chooses: "hand-over" | "tell" | null;
  said: string | null;
  people: readonly Reachable[];
  receivers: readonly Reachable[];
  team: Reachable | null;
  again: number | null;
  clock: { now: number; zone: string };
}) {
  const { incident, visitor, token, chooses, said, people, receivers, team, again, clock } = props;
  const { number, acknowledged } = incident;
  const action = `/i/${number}/act`;
  const address = (extra: Record<string, string>) =>
    `/i/${number}?${new URLSearchParams({ ...(token === null ? {} : { k: token }), ...extra })}`;
  const form = (act: string, button: ReactNode, to?: string) => (
    <form method="post" action={action} key={`${act} ${to ?? ""}`}>
      <input type="hidden" name="act" value={act} />
      {token === null ? null : <input type="hidden" name="k" value={token} />}
      {to === undefined ? null : <input type="hidden" name="to" value={to} />}
      {button}
    </form>
  );
  const button = (label: ReactNode) => (
    <button type="submit" className={styles.button}>
      <bdi>{label}</bdi>
    </button>
  );
  const to = (href: string, label: string) => (
    <Link className={styles.button} href={href} prefetch={false}>
      {label}
    </Link>
  );

  if (incident.endedAt !== null)
    return (
      <div className={styles.standing}>
        <StatusMark status="healthy" size={16} />
        <span>
          <b>It is over.</b>
          <small>There is nothing to do about it.</small>
        </span>
      </div>
    );
  if (visitor.presser === null)
    return <p className={styles.note}>Your role lets you see it. An operator can acknowledge it.</p>;

  if (chooses !== null) {
    const choices = chooses === "hand-over" ? people : receivers;
    return (
      <>
        <p className={styles.note}>
          {chooses === "hand-over"
            ? `They are told now, with a link to take it over. ${acknowledged === null ? "Nobody has it" : isOwn(incident, visitor) ? "You have it" : `${safeText(acknowledged.by, 40)} has it`} until they do.`
            : "They are told now, and hear of its end. Who has it stays the same."}
        </p>
        <div className={styles.list}>
          {choices.map(({ id, name }) => form(chooses, button(name), id))}
          {choices.length === 0 ? (
            <p className={styles.note}>Nobody is set up; an admin does it under Alerting.</p>
          ) : null}
          {to(address({}), "Back")}
        </div>
      </>
    );
  }

  const note =
    said === "refused"
      ? "It was not done: somebody else was faster, or it is not yours to change."
      : said === "again"
        ? "It is not acknowledged yet: the session had ended before it was sent."
        : said === "hand-over" || said === "tell"
          ? "Told. What became of it stands on the page's timeline."
          : null;
  const saidNote =
    note === null ? null : (
      <p className={styles.note} role="status" data-bad={said === "refused"}>
        {note}
      </p>
    );
  const silence = to(`/silences?match=${encodeURIComponent(incidentTerm(number))}`, "Silence…");
  const handOver = to(address({ choose: "hand-over" }), "Hand over");
  if (acknowledged === null)
    return (
      <>
        {said === "release" ? (
          <p className={styles.note} role="status">
            Taken back. Escalation begins anew.
          </p>
        ) : (
          saidNote
        )}
        <AcknowledgeForm
          action={action}
          act="acknowledge"
          token={token}
          label="Acknowledge"
          back={address({ said: "acknowledge" })}
        />
        <div className={styles.row}>
          {handOver}
          {silence}
        </div>
      </>
    );
  const at = Date.parse(acknowledged.at);
  const own = isOwn(incident, visitor);
  const by = own ? "" : ` by ${safeText(acknowledged.by, 40)}`;
  return (
    <>
      {saidNote}
      <div className={styles.standing}>
        <StatusMark status="healthy" size={16} />
        <span>
          <b>
            <bdi>
              Acknowledged{by} {formatTime(at, clock)}
            </bdi>
          </b>
          {again === null || again <= clock.now ? null : (
            <small>Reminders stop until {formatTime(again, clock)} or a new site joins</small>
          )}
        </span>
        {own
          ? form("release", <UndoButton leftMs={at + undoMs - clock.now} since={at} />)
          : form("take-over", button("Take over"))}
      </div>
      <div className={styles.row}>
        {team === null
          ? to(address({ choose: "tell" }), "Tell…")
          : form("tell", button(`Tell ${lowerFirst(team.name)}`), team.id)}
        {handOver}
      </div>
    </>
  );
}

const lowerFirst = (name: string) =>
  /^[A-Z][a-z]/.test(name) ? `${name.charAt(0).toLowerCase()}${name.slice(1)}` : name;

function LinkIsOver({ number, expired }: { number: number; expired: boolean }) {
  return (
    <StartFrame title={expired ? "This link has expired." : "This link is not valid."}>
      <p className="dim">
        {expired
          ? "A link acknowledges for a week. The incident can be acknowledged after signing in."
          : "It was cut short, is of another incident, or its owner is no longer told of incidents."}
      </p>
      <p>
        <a className="link" href={`/login?next=${encodeURIComponent(`/i/${number}`)}`}>
          Sign in to incident {number}
        </a>
      </p>
    </StartFrame>
  );
}
