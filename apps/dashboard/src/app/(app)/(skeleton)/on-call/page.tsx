import { currentAlerting } from "@lynceus/db/alerting";
import { instantOf, zonedAt } from "@lynceus/incidents/wall-clock";
import { allows } from "@lynceus/protocol/access";
import type { AlertingConfig, Schedule } from "@lynceus/protocol/alerting";
import { formatCount, formatDuration, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import { ConfirmButton } from "../../../../components/confirm-button.tsx";
import incidents from "../../../../components/incidents/incidents.module.css";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { StateBox } from "../../../../components/layout/state-box.tsx";
import { RememberZone } from "../../../../components/machines/remember-zone.tsx";
import { momentText } from "../../../../components/moment.ts";
import styles from "../../../../components/on-call/on-call.module.css";
import { OverrideForm } from "../../../../components/on-call/override-form.tsx";
import { aheadDays, askedBy, type Standing, standingOf, stripOf } from "../../../../components/on-call/turns.ts";
import { database } from "../../../../lib/db.ts";
import { requireRight } from "../../../../lib/session.ts";
import { personOf } from "../../../../lib/told.ts";
import { viewerZone, zoneName } from "../../../../lib/zone.ts";
import { removeOverride } from "./actions.ts";

export const metadata: Metadata = { title: "On call" };

interface Clock {
  now: number;
  zone: string;
}

/** Who is woken now, who is next, and when is nobody? */
export default async function OnCallPage() {
  const { access, email } = await requireRight("oversee");
  const zone = await viewerZone();
  const now = Date.now();
  const clock = { now, zone };
  const { config, version } = await currentAlerting(database());
  const own = personOf(config, email)?.id ?? null;
  const standings = config.schedules.map((schedule) => ({ schedule, standing: standingOf(schedule, now) }));
  return (
    <>
      <RememberZone zone={zone} />
      <PageHeader title="On call" asOf={now} />
      <h1 className={incidents.lede}>
        <Lede standings={standings} config={config} own={own} clock={clock} />
      </h1>
      {standings.length === 0 ? (
        <StateBox title="No schedule is set up.">
          A schedule says who of several people is woken, by turns. Routes can tell people and receivers without one.
        </StateBox>
      ) : (
        <div className={styles.schedules}>
          {standings.map(({ schedule, standing }) => (
            <SchedulePanel
              key={schedule.id}
              schedule={schedule}
              standing={standing}
              config={config}
              own={own}
              base={allows(access, "configure") ? version : null}
              clock={clock}
            />
          ))}
        </div>
      )}
    </>
  );
}

const nameOf = ({ people }: AlertingConfig, id: string | null): string =>
  id === null ? "nobody" : safeText(people.find((person) => person.id === id)?.name ?? id, 60);

const untilText = ({ now }: Standing, clock: Clock): string =>
  now.to < clock.now + aheadDays * 86_400_000 ? ` until ${momentText(now.to, clock)}` : "";

function Lede(props: {
  standings: readonly { schedule: Schedule; standing: Standing }[];
  config: AlertingConfig;
  own: string | null;
  clock: Clock;
}) {
  const { standings, config, own, clock } = props;
  const [first] = standings;
  if (!first) return "Nobody is on call by turns.";
  const empty = standings.filter(({ standing }) => standing.now.person === null);
  const mine = standings.find(({ standing }) => own !== null && standing.now.person === own);
  const holes = standings.filter(({ standing }) => standing.gaps.some(({ from }) => from > clock.now));
  return (
    <>
      {mine
        ? `You are on call for ${safeText(mine.schedule.name, 60)}${untilText(mine.standing, clock)}.`
        : first.standing.now.person === null
          ? null
          : `${nameOf(config, first.standing.now.person)} is on call for ${safeText(first.schedule.name, 60)}${untilText(first.standing, clock)}.`}{" "}
      {empty.length === 0 ? null : (
        <em>
          Nobody is on call now for{" "}
          {empty
            .map(({ schedule }) => safeText(schedule.name, 60))
            .slice(0, 3)
            .join(", ")}
          .
        </em>
      )}{" "}
      <span className={incidents.quiet}>
        {holes.length === 0
          ? empty.length === 0
            ? `Every hour of the next ${aheadDays / 7} weeks is somebody's.`
            : null
          : `Hours of the next ${aheadDays / 7} weeks are nobody's on ${formatCount(holes.length)} ${holes.length === 1 ? "schedule" : "schedules"}.`}
      </span>
    </>
  );
}

function SchedulePanel(props: {
  schedule: Schedule;
  standing: Standing;
  config: AlertingConfig;
  own: string | null;
  /** The version that an override is put into; null for who may not. */
  base: number | null;
  clock: Clock;
}) {
  const { schedule, standing, config, own, base, clock } = props;
  const { id, name, zone } = schedule;
  const asked = askedBy(config, id);
  const overrides = schedule.overrides
    .map((one) => ({ ...one, begins: instantOf(one.from, zone), ends: instantOf(one.to, zone) }))
    .filter(({ ends }) => ends > clock.now)
    .sort((a, b) => a.begins - b.begins);
  const { now, next, gaps } = standing;
  // What goes on longer than is looked ahead has no end here.
  const horizon = clock.now + aheadDays * 86_400_000;
  return (
    <Panel
      id={id}
      title={<bdi>{safeText(name, 120)}</bdi>}
      sub={`turns by the clock of ${zone}; shown in ${zoneName(clock.zone, clock.now)}`}
      more={
        asked.length === 0
          ? "no escalation asks it"
          : asked
              .slice(0, 3)
              .map((one) => `${safeText(one.name, 40)}, step ${one.step}`)
              .join("; ")
      }
    >
      <div className={styles.who}>
        <div>
          <h3>Now</h3>
          <b data-gap={now.person === null}>
            <bdi>{now.person === null ? "Nobody" : nameOf(config, now.person)}</bdi>
            {now.person !== null && now.person === own ? " (you)" : ""}
          </b>
          <small>
            {now.to < horizon
              ? `until ${momentText(now.to, clock)}, ${formatDuration(now.to - clock.now)} more`
              : `for the next ${aheadDays / 7} weeks and longer`}
            {now.by === "override" ? "; by override" : ""}
          </small>
        </div>
        <div>
          <h3>Next</h3>
          <b data-gap={next === null}>
            <bdi>{next === null ? "Nobody" : nameOf(config, next.person)}</bdi>
            {next !== null && next.person === own ? " (you)" : ""}
          </b>
          <small>
            {next === null
              ? `within ${aheadDays / 7} weeks`
              : `from ${momentText(next.from, clock)}${next.to < horizon ? ` to ${momentText(next.to, clock)}` : ""}`}
          </small>
        </div>
      </div>
      <Strip schedule={schedule} config={config} own={own} clock={clock} />
      {gaps.length === 0 ? null : (
        <div className={styles.part}>
          <h3>Nobody is on call</h3>
          <ul>
            {gaps.slice(0, 4).map(({ from, to }) => (
              <li key={from} className="bad">
                {from <= clock.now ? "now" : momentText(from, clock)} to {momentText(to, clock)}
                <span className="dim">{formatDuration(to - from)}</span>
              </li>
            ))}
            {gaps.length > 4 ? (
              <li className="dim">
                and {formatCount(gaps.length - 4)} more in {aheadDays / 7} weeks
              </li>
            ) : null}
          </ul>
          <p className="dim">What an escalation asks of it then goes to the next step at once, and to the fallback.</p>
        </div>
      )}
      {overrides.length === 0 && base === null ? null : (
        <div className={styles.part}>
          <h3>Overrides</h3>
          {overrides.length === 0 ? null : (
            <ul>
              {overrides.map((one) => (
                <li key={`${one.person} ${one.from} ${one.to}`}>
                  <b>
                    <bdi>{nameOf(config, one.person)}</bdi>
                  </b>
                  {momentText(one.begins, clock)} to {momentText(one.ends, clock)}
                  {base === null ? null : (
                    <form action={removeOverride} style={{ marginTop: 0 }}>
                      <input type="hidden" name="schedule" value={id} />
                      <input type="hidden" name="person" value={one.person} />
                      <input type="hidden" name="from" value={one.from} />
                      <input type="hidden" name="to" value={one.to} />
                      <ConfirmButton
                        label="Remove"
                        again="Remove now"
                        describes={`${nameOf(config, one.person)}, ${one.from}`}
                      />
                    </form>
                  )}
                </li>
              ))}
            </ul>
          )}
          {base === null || config.people.length === 0 ? null : (
            <details key={`${base}`}>
              <summary>Put somebody in…</summary>
              <OverrideForm
                schedule={id}
                zone={zone}
                base={base}
                people={config.people.map((person) => ({ id: person.id, name: safeText(person.name, 60) }))}
                first={{ from: wallText(clock.now, zone), to: wallText(now.to, zone) }}
              />
            </details>
          )}
        </div>
      )}
    </Panel>
  );
}

/** An instant as a field for date and time has it, to the minute. */
const wallText = (at: number, zone: string) => zonedAt(at, zone).toPlainDateTime().toString().slice(0, 16);

/** Two weeks of turns to scale; each is said in words as well. */
function Strip(props: { schedule: Schedule; config: AlertingConfig; own: string | null; clock: Clock }) {
  const { schedule, config, own, clock } = props;
  const { parts, days, now } = stripOf(schedule, clock.now, clock.zone);
  const order = new Map(config.people.map(({ id }, i) => [id, i]));
  const dayFormat = new Intl.DateTimeFormat("en-GB", { timeZone: clock.zone, weekday: "short", day: "numeric" });
  return (
    <>
      <ol className={styles.strip} aria-label="Two weeks from today">
        {parts.map((part) => {
          const who = part.person === null ? "nobody" : nameOf(config, part.person);
          const said = `${who}, ${momentText(part.from, clock)} to ${momentText(part.to, clock)}${part.by === "override" ? ", by override" : ""}`;
          return (
            <li
              key={part.from}
              style={{ left: `${part.left}%`, width: `${part.width}%` }}
              data-by={part.by}
              data-odd={(order.get(part.person ?? "") ?? 0) % 2 === 1}
              data-own={part.person !== null && part.person === own}
              title={said}
            >
              <span className="vh">{said}</span>
              <bdi aria-hidden="true">{part.width > 9 ? who : ""}</bdi>
            </li>
          );
        })}
        <li className={styles.now} style={{ left: `${now}%` }} aria-hidden="true" />
      </ol>
      <ol className={styles.days} aria-hidden="true">
        {days.map(({ at, left }) => (
          <li key={at} style={{ left: `${left}%` }}>
            {dayFormat.format(at)}
          </li>
        ))}
      </ol>
    </>
  );
}
