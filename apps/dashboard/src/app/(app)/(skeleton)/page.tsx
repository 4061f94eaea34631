import { causeFindings } from "@lynceus/db/cause-spread";
import { readAttributions } from "@lynceus/db/causes";
import { changeFailing } from "@lynceus/db/change-counts";
import { inSnapshot } from "@lynceus/db/client";
import { countsOf, fleetCells } from "@lynceus/db/fleet-cells";
import { listFleetChanges } from "@lynceus/db/fleet-changes";
import { heldReasons } from "@lynceus/db/incident-page";
import { listIncidents } from "@lynceus/db/incidents";
import { countMachines } from "@lynceus/db/machines";
import { openCauses } from "@lynceus/db/overview";
import { currentPolicy } from "@lynceus/db/policies";
import { fleetTrend } from "@lynceus/db/samples";
import type { Fleet, FleetReader } from "@lynceus/db/scope";
import { atSites, SeriesError } from "@lynceus/db/series-grid";
import { textsOf } from "@lynceus/diagnosis/texts";
import { allows, type Scope } from "@lynceus/protocol/access";
import { parseFilter } from "@lynceus/protocol/filter";
import { compareNatural, formatCount, formatDuration, formatShare, formatTime } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import { causeSubject } from "../../../components/causes/words.ts";
import { ChangeList } from "../../../components/changes/change-list.tsx";
import { changeKindTitles } from "../../../components/changes/words.ts";
import { ChartPanel } from "../../../components/charts/chart-panel.tsx";
import { StepChart } from "../../../components/charts/step-chart.tsx";
import forms from "../../../components/forms/forms.module.css";
import { incidentHref } from "../../../components/incidents/words.ts";
import { PageHeader } from "../../../components/layout/page-header.tsx";
import { Panel } from "../../../components/layout/panel.tsx";
import { StateBox } from "../../../components/layout/state-box.tsx";
import { machinesHref, reporting as reportingTerm, term } from "../../../components/machines/links.ts";
import { RememberZone } from "../../../components/machines/remember-zone.tsx";
import { heatOf } from "../../../components/overview/heat.ts";
import { HeatMap } from "../../../components/overview/heat-map.tsx";
import { OpenIncidents } from "../../../components/overview/incidents.tsx";
import styles from "../../../components/overview/overview.module.css";
import { Picker } from "../../../components/overview/pickers.tsx";
import { reportingCount, sentenceOf } from "../../../components/overview/sentence.ts";
import { shortTitle } from "../../../components/overview/short-titles.ts";
import { deltas, deltaText, patternLines, trendOf, trendTable } from "../../../components/overview/trend.ts";
import { Count } from "../../../components/status/count.tsx";
import { VerdictSentence } from "../../../components/status/verdict-sentence.tsx";
import { requireRight } from "../../../lib/session.ts";
import { alerting, tellsSomebody } from "../../../lib/told.ts";
import { viewerZone, zoneName } from "../../../lib/zone.ts";

export const metadata: Metadata = { title: "Overview" };

const ranges = { "8h": 8, "1h": 1, "24h": 24, "7d": 168 } as const;
type Range = keyof typeof ranges;

/** Failing machines that are in no incident: too few share their cause, or it began a moment ago. */
const looseQuery = "status:failing incident:none";

/** What is seen at a site, so that figures of incidents are of its machines; who sees machines by tag sees what they saw. */
function seenAt(fleet: Fleet, site: string | null): Scope {
  try {
    return site === null ? fleet.scope : atSites(fleet, [site]).scope;
  } catch (error) {
    if (error instanceof SeriesError) return fleet.scope;
    throw error;
  }
}

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
    changes,
    samples,
    lastHour,
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
  const page = await inSnapshot(fleet, (db) => readPage(db, site, seenAt(fleet, site), range));
  const { asOf } = page;
  const cells = site === null ? page.cells : page.cells.filter((cell) => cell.site === site);
  const counts = countsOf(cells);
  const all = reportingCount(counts);
  const sites = [...new Set(page.cells.flatMap((cell) => cell.site ?? []))].sort(compareNatural);

  const header = (
    <PageHeader title="Overview" asOf={asOf}>
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
  const delta = deltas(page.lastHour ?? [], counts, asOf);
  const failingNow = new Map<string, number>();
  for (const { status, pattern, machines } of cells)
    if (status === "failing" && pattern !== null) failingNow.set(pattern, (failingNow.get(pattern) ?? 0) + machines);
  const worst = [...failingNow].sort((a, b) => b[1] - a[1]).slice(0, 2);
  const trend = trendOf(
    samples.filter((sample) => sample.at.getTime() >= page.since),
    { ...counts, patterns: Object.fromEntries(failingNow) },
    asOf,
  );
  const lines = patternLines(
    trend,
    worst.map(([pattern]) => pattern),
  );
  const lineName = (pattern: string | null) =>
    pattern !== null ? shortTitle(pattern) : lines.length === 1 ? "failing" : "other causes";
  const events = page.changes
    .filter(({ change, failing }) => Date.parse(change.firstAt) >= page.since && failing > 0)
    .slice(0, 1)
    .map(({ change }) => ({
      at: Date.parse(change.firstAt) / 1000,
      label: `${formatTime(Date.parse(change.firstAt), context)} ${changeKindTitles[change.kind].toLowerCase()}`,
    }));
  const status = (value: string) => machinesHref(term("status", value), siteTerm);
  const four = [
    ["healthy", counts.healthy, delta?.healthy, "Exchange answers on the configured route", "ok-fill"],
    ["failing", counts.failing, delta?.failing, "Not reached, or no silent sign-in", "bad-fill"],
    [
      "stale",
      counts.stale,
      delta?.stale,
      page.cycleMinutes === null
        ? "Silent too long; not counted as bad"
        : `Silent for over ${formatDuration(3 * page.cycleMinutes * 60_000)}; not counted as bad`,
      "stale-fill",
    ],
    ["cannot-tell", counts.cannotTell, delta?.cannotTell, "The facts do not allow a verdict", "unk-fill"],
  ] as const;
  const zoneText = zoneName(zone, asOf);
  const named =
    page.incidents.find((incident) => shared !== null && incident.causeId === shared.id) ??
    page.incidents.find((incident) => top !== undefined && incident.title === top.cause) ??
    null;

  return (
    <>
      <RememberZone zone={zone} />
      {header}
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
      <Panel label="Fleet state">
        <div className={styles.counts}>
          {four.map(([name, count, change, meaning]) => (
            <Count
              key={name}
              status={name}
              value={formatCount(count)}
              share={all === 0 ? undefined : formatShare(count, all)}
              change={deltaText(change)}
              meaning={meaning}
              href={status(name)}
            />
          ))}
        </div>
        <div
          className={styles.prop}
          role="img"
          aria-label={`To scale: ${four.map(([name, count]) => `${formatCount(count)} ${name.replace("-", " ")}`).join(", ")}`}
        >
          {four.map(([name, count, , , fill]) =>
            count > 0 ? <i key={name} style={{ flex: count, background: `var(--${fill})` }} /> : null,
          )}
        </div>
        <p className={styles.small}>
          To scale,{" "}
          <Link href={machinesHref(reportingTerm, siteTerm)}>
            {formatCount(all)} {all === 1 ? "machine" : "machines"}
          </Link>
          .{" "}
          {counts.signedOff > 0 ? (
            <>
              {formatCount(counts.signedOff)} more {counts.signedOff === 1 ? "machine" : "machines"} signed off (asleep
              or shut down) and {counts.signedOff === 1 ? "is" : "are"} in none of the four.{" "}
              <Link className="link" href={status("signed-off")}>
                Show them
              </Link>
            </>
          ) : (
            "No machine signed off."
          )}
        </p>
      </Panel>
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
        <HeatMap heat={heatOf(cells)} />
        <div className={styles.stack}>
          {page.samples === null ? (
            // To who sees machines by tag.
            <Panel title="Over time">
              <p className={forms.none}>Earlier figures are kept by site, and not of machines by tag.</p>
            </Panel>
          ) : (
            <>
              <ChartPanel
                title="Failing machines over time"
                subtitle={`by pattern, last ${range.replace(/(\d+)/, "$1 ")}, ${zoneText}`}
                name="lynceus-failing"
                table={trendTable(
                  trend,
                  [
                    { title: "Failing", value: (point) => point.failing },
                    ...lines.map((line) => ({
                      title: line.pattern ?? "Other causes",
                      value: (_: unknown, i: number) => line.values[i] ?? 0,
                    })),
                    { title: "At risk, working", value: (point) => point.atRisk },
                  ],
                  context,
                )}
              >
                <StepChart
                  times={trend.times}
                  series={lines.map((line, i) => ({
                    label: lineName(line.pattern),
                    tone: i === 0 ? "bad-fill" : i === 1 && line.pattern !== null ? "ink2" : "ink3",
                    ...(i === 0 ? { filled: true } : {}),
                    values: line.values,
                  }))}
                  events={events}
                  zone={zone}
                  height={220}
                  sentence={`Failing machines over the last ${range}: ${formatCount(counts.failing)} now, ${worst.map(([pattern, machines]) => `${formatCount(machines)} with ${pattern}`).join(", ")}.`}
                />
              </ChartPanel>
              <ChartPanel
                title="Not seen"
                subtitle="stale, or cannot tell"
                name="lynceus-not-seen"
                table={trendTable(
                  trend,
                  [
                    { title: "Stale", value: (point) => point.stale },
                    { title: "Cannot tell", value: (point) => point.cannotTell },
                  ],
                  context,
                )}
              >
                <StepChart
                  times={trend.times}
                  series={[
                    { label: "stale", tone: "stale", values: trend.points.map((p) => p?.stale ?? null) },
                    {
                      label: "cannot tell",
                      tone: "unk",
                      dashed: true,
                      values: trend.points.map((p) => p?.cannotTell ?? null),
                    },
                  ]}
                  zone={zone}
                  height={120}
                  sentence={`Machines not seen over the last ${range}: ${formatCount(counts.stale)} stale and ${formatCount(counts.cannotTell)} cannot tell now.`}
                />
              </ChartPanel>
            </>
          )}
        </div>
      </div>
    </>
  );
}
