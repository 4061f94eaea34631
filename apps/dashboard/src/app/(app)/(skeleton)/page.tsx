import { causeFindings } from "@lynceus/db/cause-spread";
import { readAttributions } from "@lynceus/db/causes";
import { changeFailing } from "@lynceus/db/change-counts";
import { inSnapshot } from "@lynceus/db/client";
import { agentVersions, countsOf, type FleetCell, fleetCells } from "@lynceus/db/fleet-cells";
import { listFleetChanges } from "@lynceus/db/fleet-changes";
import { fleetAt, incidentsAt, takenBy } from "@lynceus/db/fleet-past";
import { heldReasons } from "@lynceus/db/incident-page";
import { listIncidents } from "@lynceus/db/incidents";
import { countMachines } from "@lynceus/db/machines";
import { openCauses } from "@lynceus/db/overview";
import { currentPolicy } from "@lynceus/db/policies";
import { fleetTrend } from "@lynceus/db/samples";
import type { FleetReader } from "@lynceus/db/scope";
import { textsOf } from "@lynceus/diagnosis/texts";
import { allows, type Scope } from "@lynceus/protocol/access";
import { parseFilter } from "@lynceus/protocol/filter";
import { compareNatural } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import { causeSubject } from "../../../components/causes/words.ts";
import { ChangeList } from "../../../components/changes/change-list.tsx";
import { changeKindTitles } from "../../../components/changes/words.ts";
import forms from "../../../components/forms/forms.module.css";
import { incidentHref } from "../../../components/incidents/words.ts";
import { PageHeader } from "../../../components/layout/page-header.tsx";
import { Panel } from "../../../components/layout/panel.tsx";
import { StateBox } from "../../../components/layout/state-box.tsx";
import { machinesHref, term } from "../../../components/machines/links.ts";
import { RememberZone } from "../../../components/machines/remember-zone.tsx";
import { AgentVersions } from "../../../components/overview/agent-versions.tsx";
import { FleetState } from "../../../components/overview/fleet-state.tsx";
import { heatOf } from "../../../components/overview/heat.ts";
import { HeatMap } from "../../../components/overview/heat-map.tsx";
import { OpenIncidents } from "../../../components/overview/incidents.tsx";
import { OverTime } from "../../../components/overview/over-time.tsx";
import styles from "../../../components/overview/overview.module.css";
import { momentOf } from "../../../components/overview/past.ts";
import { PastOverview, type PastPage } from "../../../components/overview/past-overview.tsx";
import { Picker } from "../../../components/overview/pickers.tsx";
import { reportingCount, sentenceOf } from "../../../components/overview/sentence.ts";
import { deltas, trendOf } from "../../../components/overview/trend.ts";
import { versionsOf } from "../../../components/overview/versions.ts";
import { Banner } from "../../../components/status/banner.tsx";
import { VerdictSentence } from "../../../components/status/verdict-sentence.tsx";
import { seenAt } from "../../../lib/seen-at.ts";
import { requireRight } from "../../../lib/session.ts";
import { alerting, tellsSomebody } from "../../../lib/told.ts";
import { version as installed } from "../../../lib/version.ts";
import { viewerZone, zoneName } from "../../../lib/zone.ts";

export const metadata: Metadata = { title: "Overview" };

const ranges = { "8h": 8, "1h": 1, "24h": 24, "7d": 168 } as const;
type Range = keyof typeof ranges;

/** Failing machines that are in no incident: too few share their cause, or it began a moment ago. */
const looseQuery = "status:failing incident:none";

/** Everything on the page, from one snapshot. */
async function readPage(db: FleetReader, site: string | null, scope: Scope, range: Range) {
  const [moment] = await db.prisma.$queryRaw<{ asOf: Date }[]>`SELECT now() AS "asOf"`;
  const asOf = moment?.asOf ?? new Date();
  const since = new Date(asOf.getTime() - ranges[range] * 3_600_000);
  const cycleMinutes = (await currentPolicy(db))?.body.intervals.cycleMinutes ?? null;
  const causes = await openCauses(db, { site, limit: 8 });
  const cells = await fleetCells(db);
  // A site has no attribution of its own: what is compared is the machines of one location.
  const attributions = site === null ? await readAttributions(db) : [];
  const shared = attributions.flatMap((one) => one.causes).sort((a, b) => b.explains - a.explains)[0] ?? null;
  const findings = shared === null ? [] : await causeFindings(db, shared.id);
  const incidents = (await listIncidents({ ...db, scope }, { open: true, limit: 100 })).items.sort(
    (a, b) => b.failing - a.failing,
  );
  const loose = await countMachines(db, { site, terms: parseFilter(looseQuery, { now: 0 }).terms });
  const seen = (await listFleetChanges(db, { since, limit: 6 })).items;
  const failing = await changeFailing(
    db,
    seen.map((change) => change.id),
  );
  const changes = seen.map((change) => ({ change, failing: failing(change.id) }));
  const samples = await fleetTrend(db, { site, since, until: asOf, points: 240 });
  // For "in 1 h", whatever the span on screen.
  const lastHour = await fleetTrend(db, { site, since: new Date(asOf.getTime() - 65 * 60_000), until: asOf });
  return {
    asOf: asOf.getTime(),
    since: since.getTime(),
    cycleMinutes,
    causes,
    attributions,
    shared,
    findings,
    incidents,
    held: await heldReasons(
      db,
      incidents.map(({ number }) => number),
    ),
    loose: loose.failing,
    cells,
    agents: await agentVersions(db, { site }),
    changes,
    samples,
    lastHour,
  };
}

/** What is kept of a moment gone by, from one snapshot. */
async function readPast(db: FleetReader, site: string | null, scope: Scope, range: Range, at: Date): Promise<PastPage> {
  const since = new Date(at.getTime() - ranges[range] * 3_600_000);
  const fleet = await fleetAt(db, { at, site });
  const seen = (await listFleetChanges(db, { since, begunBy: at, limit: 6 })).items;
  const taken = await takenBy(
    db,
    seen.map(({ id }) => id),
    at,
  );
  const changes = seen
    .map((change) => {
      const then = taken.get(change.id);
      return then ? { ...change, machines: then.machines, lastAt: then.lastAt.toISOString() } : change;
    })
    .map((change) => ({ change, failing: null }));
  const until = fleet?.at ?? at;
  return {
    fleet,
    incidents: await incidentsAt({ ...db, scope }, at),
    changes,
    samples: await fleetTrend(db, { site, since, until, points: 240 }),
    lastHour: await fleetTrend(db, { site, since: new Date(until.getTime() - 65 * 60_000), until }),
  };
}

/** Are prompts expected now, why, and what fixes it? */
export default async function OverviewPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const { fleet, access } = await requireRight("read");
  const nobodyTold = allows(access, "oversee") && !tellsSomebody((await alerting()).config);
  const params = await searchParams;
  const zone = await viewerZone();
  const range: Range =
    typeof params.range === "string" && Object.hasOwn(ranges, params.range) ? (params.range as Range) : "8h";
  const site = typeof params.site === "string" && params.site !== "" ? params.site : null;
  const moment = momentOf(params.at, Date.now());
  const zoneText = (at: number) => zoneName(zone, at);
  const addressOf = (at: number | null) => {
    const query = new URLSearchParams();
    if (site !== null) query.set("site", site);
    if (range !== "8h") query.set("range", range);
    if (at !== null) query.set("at", new Date(at).toISOString());
    return query.size === 0 ? "/" : `/?${query}`;
  };
  if (moment !== null && moment.problem === null) {
    const { at } = moment;
    const [past, sites, cycle] = await inSnapshot(
      fleet,
      async (db) =>
        [
          await readPast(db, site, seenAt(fleet, site), range, new Date(at)),
          sitesOf(await fleetCells(db)),
          (await currentPolicy(db))?.body.intervals.cycleMinutes ?? null,
        ] as const,
    );
    return (
      <>
        <RememberZone zone={zone} />
        <Header site={site} sites={sites} range={range} />
        <PastOverview
          at={at}
          now={Date.now()}
          page={past}
          since={at - ranges[range] * 3_600_000}
          range={range}
          staleAfter={staleAfter(cycle)}
          installed={installed}
          byTag={(fleet.scope.tags?.length ?? 0) > 0}
          zone={zone}
          zoneText={zoneText(at)}
          href={addressOf}
        />
      </>
    );
  }
  const page = await inSnapshot(fleet, (db) => readPage(db, site, seenAt(fleet, site), range));
  const { asOf } = page;
  const cells = site === null ? page.cells : page.cells.filter((cell) => cell.site === site);
  const counts = countsOf(cells);
  const all = reportingCount(counts);

  const header = <Header site={site} sites={sitesOf(page.cells)} range={range} asOf={asOf} freeze={addressOf(asOf)} />;
  if (all + counts.signedOff === 0 && site === null) {
    return (
      <>
        {header}
        <h1 className="vh">Overview</h1>
        <Panel label="First day">
          <div style={{ padding: 14 }}>
            <StateBox
              title="No machines yet."
              action={
                <Link className="link" href="/enrolment">
                  Open enrolment
                </Link>
              }
            >
              Enrol the first one; it shows here within a minute.
            </StateBox>
          </div>
        </Panel>
      </>
    );
  }

  const siteTerm = site === null ? null : term("site", site);
  const failing = page.causes.filter((cause) => cause.failing > 0);
  const riskByPattern = new Map<string, number>();
  for (const cell of cells) {
    if (cell.status === "healthy" && cell.pattern) {
      riskByPattern.set(cell.pattern, (riskByPattern.get(cell.pattern) ?? 0) + cell.machines);
    }
  }
  const atRisk = [...riskByPattern]
    .map(([pattern, machines]) => ({ pattern, machines }))
    .sort((a, b) => b.machines - a.machines);
  const simulated = cells.filter((cell) => cell.status !== "signed-off").reduce((sum, cell) => sum + cell.simulated, 0);
  const top = failing[0];
  const { shared } = page;
  const context = { now: asOf, zone };
  const fixed = page.findings[0]?.pattern ?? top?.pattern ?? null;
  const remedy = fixed === null ? null : (textsOf(fixed)?.remedy[0]?.what ?? null);
  const sentence = sentenceOf({
    counts,
    shared: shared && {
      subject: causeSubject(shared, context),
      explains: shared.explains,
      of: shared.of,
      misfits: shared.failingWithout,
    },
    causes: failing.map((cause) => ({ pattern: cause.pattern, cause: cause.cause, machines: cause.failing })),
    simulated,
    remedy,
  });
  const samples = page.samples ?? [];
  const failingNow = new Map<string, number>();
  for (const { status, pattern, machines } of cells)
    if (status === "failing" && pattern !== null) failingNow.set(pattern, (failingNow.get(pattern) ?? 0) + machines);
  const worst = [...failingNow].sort((a, b) => b[1] - a[1]).slice(0, 2);
  const trend = trendOf(
    samples.filter((sample) => sample.at.getTime() >= page.since),
    { ...counts, patterns: Object.fromEntries(failingNow) },
    asOf,
  );
  const events = page.changes
    .filter(({ change, failing }) => Date.parse(change.firstAt) >= page.since && failing > 0)
    .slice(0, 1)
    .map(({ change }) => ({ at: Date.parse(change.firstAt), title: changeKindTitles[change.kind] }));
  const status = (value: string) => machinesHref(term("status", value), siteTerm);
  const named =
    page.incidents.find((incident) => shared !== null && incident.causeId === shared.id) ??
    page.incidents.find((incident) => top !== undefined && incident.title === top.cause) ??
    null;

  return (
    <>
      <RememberZone zone={zone} />
      {header}
      {moment === null ? null : (
        <div className={styles.past}>
          <Banner>{moment.problem}. This is the present.</Banner>
        </div>
      )}
      <VerdictSentence {...(sentence.next === null ? {} : { next: <bdi>{sentence.next}</bdi> })}>
        {sentence.lead.map((run, i) =>
          run.bad ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: the runs of one sentence never move.
            <em key={i}>
              <Link
                href={
                  run.opens !== "cause"
                    ? status("failing")
                    : named !== null
                      ? incidentHref(named.number)
                      : shared !== null
                        ? `/causes/${shared.id}`
                        : status("failing")
                }
              >
                <bdi>{run.text}</bdi>
              </Link>
            </em>
          ) : (
            run.text
          ),
        )}
      </VerdictSentence>
      <FleetState
        counts={counts}
        change={deltas(page.lastHour ?? [], counts, asOf)}
        staleAfter={staleAfter(page.cycleMinutes)}
        inSite={siteTerm}
      />
      <div className={styles.row1}>
        <div className={styles.stack}>
          <OpenIncidents
            incidents={page.incidents}
            held={page.held}
            loose={page.loose}
            looseQuery={looseQuery}
            reporting={all}
            atRisk={atRisk}
            inSite={siteTerm}
            nobodyTold={nobodyTold}
            now={asOf}
            zone={zone}
          />
        </div>
        <Panel title="Recent changes" sub="seen on machines" more={<Link href="/changes">All changes →</Link>}>
          {page.changes.length === 0 ? (
            <p className={styles.small}>
              No setting, script, certificate or agent changed on any machine in this time.
            </p>
          ) : (
            <ChangeList changes={page.changes} now={asOf} zone={zone} />
          )}
        </Panel>
      </div>
      <div className={styles.row2}>
        <div className={styles.stack}>
          <HeatMap heat={heatOf(cells)} inSite={siteTerm} />
          <AgentVersions versions={versionsOf(page.agents, installed)} inSite={siteTerm} />
        </div>
        <div className={styles.stack}>
          {page.samples === null ? (
            // To who sees machines by tag.
            <Panel title="Over time">
              <p className={forms.none}>Earlier figures are kept by site, and not of machines by tag.</p>
            </Panel>
          ) : (
            <OverTime
              trend={trend}
              worst={worst.map(([pattern]) => pattern)}
              events={events}
              range={range}
              now={asOf}
              zone={zone}
              zoneText={zoneText(asOf)}
            />
          )}
        </div>
      </div>
    </>
  );
}

const sitesOf = (cells: readonly FleetCell[]): string[] =>
  [...new Set(cells.flatMap((cell) => cell.site ?? []))].sort(compareNatural);

/** A machine is stale after three cycles without a word (ms); null where no policy says how long a cycle is. */
const staleAfter = (cycleMinutes: number | null) => (cycleMinutes === null ? null : 3 * cycleMinutes * 60_000);

/** `asOf` and `freeze`, the address of this moment, are of a page that is live. */
function Header(props: {
  site: string | null;
  sites: readonly string[];
  range: Range;
  asOf?: number;
  freeze?: string;
}) {
  const { site, sites, range, asOf, freeze } = props;
  return (
    <PageHeader title="Overview" asOf={asOf}>
      {freeze === undefined ? null : (
        <Link className={styles.freeze} href={freeze} prefetch={false} title="This moment as a page that stays">
          Freeze
        </Link>
      )}
      {sites.length > 1 ? (
        <Picker
          name="site"
          variant="subtle"
          value={site ?? ""}
          options={[{ value: "", label: "All sites" }, ...sites.map((name) => ({ value: name, label: name }))]}
        />
      ) : null}
      <Picker
        name="range"
        value={range}
        options={[
          { value: "8h", label: "Last 8 h" },
          { value: "1h", label: "Last 1 h" },
          { value: "24h", label: "Last 24 h" },
          { value: "7d", label: "Last 7 d" },
        ]}
      />
    </PageHeader>
  );
}
