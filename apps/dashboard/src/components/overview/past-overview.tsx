import type { PastFleet } from "@lynceus/db/fleet-past";
import type { FleetTrend } from "@lynceus/db/samples";
import { formatCount } from "@lynceus/protocol/present";
import type { Incident } from "@lynceus/protocol/read-api-incidents";
import Link from "next/link";
import { ChangeList, type SeenChange } from "../changes/change-list.tsx";
import { changeKindTitles } from "../changes/words.ts";
import { IncidentTable } from "../incidents/incident-table.tsx";
import { Panel } from "../layout/panel.tsx";
import { StateBox } from "../layout/state-box.tsx";
import { momentText } from "../moment.ts";
import { Banner } from "../status/banner.tsx";
import { VerdictSentence } from "../status/verdict-sentence.tsx";
import { AgentVersions } from "./agent-versions.tsx";
import { FleetState } from "./fleet-state.tsx";
import { HeatMap } from "./heat-map.tsx";
import { OverTime } from "./over-time.tsx";
import styles from "./overview.module.css";
import { pastCounts, pastHeat, pastSentence } from "./past.ts";
import { reportingCount } from "./sentence.ts";
import { deltas, trendOf } from "./trend.ts";
import { versionsOf } from "./versions.ts";

const minute = 60_000;
const mostIncidents = 8;
const steps = [
  [-60 * minute, "1 h earlier"],
  [-15 * minute, "15 min earlier"],
  [15 * minute, "15 min later"],
] as const;

/** What is known of the moment, all of one snapshot. */
export interface PastPage {
  fleet: PastFleet | null;
  incidents: readonly Incident[];
  changes: readonly SeenChange[];
  samples: FleetTrend;
  lastHour: FleetTrend;
}

/**
 * The overview as it was. Its numbers open no list of machines, since which they were is not kept; incidents and changes
 * open as they are now. Times in milliseconds; `href` is the address of another moment, null for now.
 */
export function PastOverview(props: {
  at: number;
  now: number;
  page: PastPage;
  since: number;
  range: string;
  staleAfter: number | null;
  /** Version of this installation's agents. */
  installed: string;
  /** Counts are kept by site: who sees machines by tag has none. */
  byTag: boolean;
  zone: string;
  zoneText: string;
  href: (at: number | null) => string;
}) {
  const { at, now, page, since, range, staleAfter, installed, byTag, zone, zoneText, href } = props;
  const { fleet, incidents, changes } = page;
  const clock = { now, zone };
  const moments = (
    <span className={styles.moments}>
      {steps
        .filter(([step]) => at + step <= now)
        .map(([step, text]) => (
          <Link key={text} className="link" href={href(at + step)} prefetch={false}>
            {text}
          </Link>
        ))}
      <Link className="link" href={href(null)} prefetch={false}>
        Now
      </Link>
    </span>
  );
  if (fleet === null)
    return (
      <Panel label="As it was">
        <div style={{ padding: 14 }}>
          <StateBox title={`Nothing was counted at ${momentText(at, clock)} ${zoneText}.`} action={moments}>
            {byTag
              ? "Counts are kept by site, and not of machines by tag."
              : "The fleet is counted each minute while a collector runs; counts are kept for five weeks."}
          </StateBox>
        </div>
      </Panel>
    );

  const counts = pastCounts(fleet);
  const sentence = pastSentence(counts, incidents);
  const counted = fleet.at.getTime();
  const worst = Object.entries(counts.patterns)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 2)
    .map(([pattern]) => pattern);
  const samples = (page.samples ?? []).filter((sample) => sample.at.getTime() >= since);
  const event = changes.find(({ change }) => Date.parse(change.firstAt) >= since && change.machines > 1)?.change;
  const more = incidents.length - mostIncidents;
  return (
    <>
      <VerdictSentence {...(sentence.next === null ? {} : { next: <bdi>{sentence.next}</bdi> })}>
        {sentence.lead.map((run, i) =>
          run.bad ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: the runs of one sentence never move.
            <em key={i}>
              <bdi>{run.text}</bdi>
            </em>
          ) : (
            run.text
          ),
        )}
      </VerdictSentence>
      <div className={styles.past}>
        <Banner mark="signed-off" tone="plain" action={moments}>
          <b>
            As it was at {momentText(counted, clock)} {zoneText}.
          </b>{" "}
          Which machines these were is not kept: numbers open no list. Incidents and changes open as they are now.
        </Banner>
      </div>
      <FleetState
        counts={counts}
        change={deltas(page.lastHour ?? [], counts, counted)}
        staleAfter={staleAfter}
        linked={false}
      />
      <div className={styles.row1}>
        <div className={styles.stack}>
          <Panel title="Incidents that were open" sub="with the machines they had by then">
            {incidents.length === 0 ? (
              <p className={styles.small}>No incident was open.</p>
            ) : (
              <IncidentTable
                incidents={incidents.slice(0, mostIncidents)}
                reporting={reportingCount(counts)}
                clock={{ now: at, zone }}
              />
            )}
            {more > 0 ? (
              <p className={`${styles.small} ${styles.rule}`}>
                {formatCount(more)} more {more === 1 ? "incident" : "incidents"}, each with fewer machines.
              </p>
            ) : null}
          </Panel>
        </div>
        <Panel title="Changes until then" sub="seen on machines">
          {changes.length === 0 ? (
            <p className={styles.small}>
              No setting, script, certificate or agent changed on any machine in this time.
            </p>
          ) : (
            <ChangeList changes={changes} now={at} zone={zone} />
          )}
        </Panel>
      </div>
      <div className={styles.row2}>
        <div className={styles.stack}>
          <HeatMap heat={pastHeat(fleet.sites)} linked={false} />
          {fleet.agents === null ? null : (
            <AgentVersions versions={versionsOf(agentCounts(fleet.agents), installed)} linked={false} />
          )}
        </div>
        <div className={styles.stack}>
          <OverTime
            trend={trendOf(samples, counts, counted)}
            worst={worst}
            events={event ? [{ at: Date.parse(event.firstAt), title: changeKindTitles[event.kind] }] : []}
            range={range}
            past
            now={at}
            zone={zone}
            zoneText={zoneText}
          />
        </div>
      </div>
    </>
  );
}

function agentCounts(agents: Readonly<Record<string, number>>) {
  return Object.entries(agents)
    .map(([version, machines]) => ({ version: version === "" ? null : version, machines }))
    .sort((a, b) => b.machines - a.machines);
}
