import { changeFailing } from "@lynceus/db/change-counts";
import { inSnapshot } from "@lynceus/db/client";
import { countsOf, fleetCells } from "@lynceus/db/fleet-cells";
import { listFleetChanges } from "@lynceus/db/fleet-changes";
import { listIncidents } from "@lynceus/db/incidents";
import { openCauses } from "@lynceus/db/overview";
import { fleetTrend, lastCount } from "@lynceus/db/samples";
import { formatCount, formatShare, formatTime, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import type { CSSProperties } from "react";
import { changeKindTitles } from "../../components/changes/words.ts";
import { RememberZone } from "../../components/machines/remember-zone.tsx";
import { lowerFirst, sentenceOf } from "../../components/overview/sentence.ts";
import { shortTitle } from "../../components/overview/short-titles.ts";
import { patternLines, trendOf } from "../../components/overview/trend.ts";
import { siteRows } from "../../components/sites/rows.ts";
import { StatusMark, statusWords } from "../../components/status/status-mark.tsx";
import { failingNote, largestAt } from "../../components/wall/notes.ts";
import styles from "../../components/wall/wall.module.css";
import { WallFrame } from "../../components/wall/wall-frame.tsx";
import { WallNotice } from "../../components/wall/wall-notice.tsx";
import { WallTrend } from "../../components/wall/wall-trend.tsx";
import { environment } from "../../lib/env.ts";
import { seenAt } from "../../lib/seen-at.ts";
import { wallViewer } from "../../lib/wall.ts";
import { viewerZone } from "../../lib/zone.ts";
import { darkScheme } from "../../theme/tokens.ts";

export const metadata: Metadata = { title: "Wallboard" };

const trendMs = 8 * 3_600_000;
/** What fits on a screen that nobody scrolls. */
const mostSites = 9;
const mostIncidents = 2;
const fills = { healthy: "ok-fill", failing: "bad-fill", stale: "stale-fill", "cannot-tell": "unk-fill" } as const;

/** Should anyone stand up? Read from across the room: nothing to press, nothing that scrolls, no machine's name. */
export default async function WallPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const viewer = await wallViewer();
  if (viewer === null) return <Closed />;
  const { site: asked } = await searchParams;
  const site = typeof asked === "string" && asked !== "" ? asked : null;
  const zone = await viewerZone();
  const scope = seenAt(viewer.fleet, site);
  const page = await inSnapshot(viewer.fleet, async (db) => {
    const [moment] = await db.prisma.$queryRaw<{ asOf: Date }[]>`SELECT now() AS "asOf"`;
    const asOf = moment?.asOf ?? new Date();
    const since = new Date(asOf.getTime() - trendMs);
    const changes = (await listFleetChanges({ ...db, scope }, { since, limit: 6 })).items;
    const failingOf = await changeFailing(
      { ...db, scope },
      changes.map(({ id }) => id),
    );
    return {
      asOf: asOf.getTime(),
      // The last one that failing machines took.
      change: changes.find(({ id, firstAt }) => Date.parse(firstAt) >= since.getTime() && failingOf(id) > 0) ?? null,
      countedAt: (await lastCount(db))?.at.getTime() ?? null,
      cells: (await fleetCells(db, { site })).filter((cell) => site === null || cell.site === site),
      causes: await openCauses(db, { site, limit: 8 }),
      samples: await fleetTrend(db, { site, since, until: asOf, points: 240 }),
      incidents: (await listIncidents({ ...db, scope }, { open: true, limit: 100 })).items.sort(
        (a, b) => b.failing - a.failing,
      ),
    };
  });
  const { asOf, cells } = page;
  const counts = countsOf(cells);
  const all = counts.healthy + counts.failing + counts.stale + counts.cannotTell;
  const failing = page.causes.filter((cause) => cause.failing > 0);
  const simulated = cells.filter((cell) => cell.status !== "signed-off").reduce((sum, cell) => sum + cell.simulated, 0);
  const { lead } = sentenceOf({
    counts,
    causes: failing.map((cause) => ({ pattern: cause.pattern, cause: cause.cause, machines: cause.failing })),
    simulated,
    remedy: null,
  });
  const four = [
    ["healthy", counts.healthy],
    ["failing", counts.failing],
    ["stale", counts.stale],
    ["cannot-tell", counts.cannotTell],
  ] as const;
  const rows = siteRows(cells, []).filter((row) => row.site !== null && row.reporting > 0);
  const troubled = rows.filter(({ counts: at }) => at.failing + at.stale + at.cannotTell > 0);
  const byPattern = new Map<string, number>();
  for (const { status, pattern, machines } of cells)
    if (status === "failing" && pattern !== null) byPattern.set(pattern, (byPattern.get(pattern) ?? 0) + machines);
  const worst = [...byPattern].sort((a, b) => b[1] - a[1]).slice(0, 2);
  const trend = trendOf(page.samples ?? [], { ...counts, patterns: Object.fromEntries(byPattern) }, asOf);
  const lines = patternLines(
    trend,
    worst.map(([pattern]) => pattern),
  );
  const quiet = rows.filter(({ counts: at }) => at.failing === 0).length;
  const clock = (at: number) => formatTime(at, { now: asOf, zone });
  const worstAt = (name: "stale" | "cannotTell") => {
    const largest = largestAt(rows, name);
    return largest === null ? null : (
      <>
        {formatCount(largest.count)} in <bdi>{safeText(largest.site, 24)}</bdi>
      </>
    );
  };
  const notes = {
    healthy: all > 0 ? `of ${formatCount(all)} reporting` : null,
    failing: failingNote(trend, asOf),
    stale: worstAt("stale"),
    "cannot-tell": worstAt("cannotTell"),
  };
  return (
    // A screen in a room is dark at night and by day, whatever its browser prefers.
    <div style={darkScheme as CSSProperties}>
      <RememberZone zone={zone} />
      <WallFrame
        asOf={asOf}
        countedAt={page.countedAt}
        zone={zone}
        sees={site === null ? viewer.sees : `Site ${safeText(site)}`}
        headline={
          all + counts.signedOff === 0
            ? site === null
              ? "No machines yet."
              : "No machines at this site."
            : lead.map((run, i) =>
                run.bad ? (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the runs of one sentence never move.
                  <em key={i}>
                    <bdi>{safeText(run.text)}</bdi>
                  </em>
                ) : (
                  run.text
                ),
              )
        }
      >
        <div className={styles.counts}>
          {four.map(([status, count]) => (
            <div key={status}>
              <div className={styles.word}>
                <StatusMark status={status} />
                {statusWords[status]}
              </div>
              <div className={styles.value} data-count={status} data-bad={status === "failing" && count > 0}>
                {formatCount(count)}
              </div>
              <p className={styles.share}>
                {all === 0 ? "no machine reports" : formatShare(count, all)}
                {notes[status] === null ? null : (
                  <>
                    {status === "healthy" ? " " : " · "}
                    {notes[status]}
                  </>
                )}
              </p>
            </div>
          ))}
        </div>
        <div className={styles.two}>
          <section>
            <h2>
              {troubled.length === 0 ? (
                rows.length > 1 ? (
                  "No site fails, and every site is seen"
                ) : null
              ) : (
                <>
                  Sites that fail or are not seen: {formatCount(Math.min(mostSites, troubled.length))} of{" "}
                  {formatCount(troubled.length)}
                  {rows.length > 1 ? (
                    <span className={styles.sub}>
                      {formatCount(quiet)} of {formatCount(rows.length)} sites {quiet === 1 ? "has" : "have"} no failing
                      machine
                    </span>
                  ) : null}
                </>
              )}
            </h2>
            <ol className={styles.sites}>
              {(troubled.length === 0 ? rows : troubled).slice(0, mostSites).map((row) => (
                <li key={row.site}>
                  <bdi>{safeText(row.site ?? "", 40)}</bdi>
                  <span className={styles.bar} aria-hidden="true">
                    {shares(row.counts).map(([status, count]) =>
                      count === 0 ? null : (
                        <i
                          key={status}
                          style={{
                            flex: count,
                            background: `var(--${fills[status]})`,
                            opacity: status === "healthy" ? 0.45 : 1,
                          }}
                        />
                      ),
                    )}
                  </span>
                  <span className={styles.figures}>
                    {shares(row.counts).map(([status, count]) =>
                      count === 0 || status === "healthy" ? null : (
                        <span key={status}>
                          <StatusMark status={status} />
                          <span className="vh">{statusWords[status]}</span>
                          {formatCount(count)}
                        </span>
                      ),
                    )}
                    <span>
                      {row.counts.healthy === row.reporting ? "all" : "of"} {formatCount(row.reporting)}
                      {row.counts.healthy === row.reporting ? " healthy" : ""}
                    </span>
                  </span>
                </li>
              ))}
            </ol>
          </section>
          <section>
            <h2>Failing machines, last 8 h</h2>
            {page.samples === null ? (
              <p className={styles.share}>Earlier figures are kept by site, and not of machines by tag.</p>
            ) : (
              <WallTrend
                times={trend.times}
                lines={lines.map((line, i) => ({
                  label:
                    line.pattern !== null ? shortTitle(line.pattern) : lines.length === 1 ? "failing" : "other causes",
                  values: line.values,
                  bad: i === 0,
                }))}
                event={
                  page.change && {
                    at: Date.parse(page.change.firstAt),
                    label: `${clock(Date.parse(page.change.firstAt))} ${lowerFirst(changeKindTitles[page.change.kind])} changed`,
                  }
                }
                range={{ from: asOf - trendMs, to: asOf }}
                zone={zone}
              />
            )}
          </section>
        </div>
        <footer>
          {page.incidents.length === 0 ? <span>No incident is open</span> : null}
          {page.incidents.slice(0, mostIncidents).map((incident) => (
            <span key={incident.number} className={styles.incident}>
              <span className={styles.number}>Incident {incident.number} · </span>
              <bdi className={styles.cause}>
                {incident.pattern === null ? safeText(incident.title, 60) : shortTitle(incident.pattern)}
              </bdi>
              <span className={styles.owner}>
                {" "}
                · since {clock(Date.parse(incident.since))} ·{" "}
                {incident.acknowledged === null ? (
                  "not acknowledged"
                ) : (
                  <>
                    acknowledged by <bdi>{safeText(incident.acknowledged.by.replace(/@.*/s, ""), 24)}</bdi>{" "}
                    {clock(Date.parse(incident.acknowledged.at))}
                  </>
                )}
              </span>
            </span>
          ))}
          {page.incidents.length > mostIncidents ? (
            <span className={styles.more}>{formatCount(page.incidents.length - mostIncidents)} more open</span>
          ) : null}
        </footer>
      </WallFrame>
    </div>
  );
}

const shares = (counts: ReturnType<typeof countsOf>) =>
  [
    ["healthy", counts.healthy],
    ["failing", counts.failing],
    ["stale", counts.stale],
    ["cannot-tell", counts.cannotTell],
  ] as const;

/** No log-in: nobody stands before a screen at night. */
function Closed() {
  return (
    <div style={darkScheme as CSSProperties}>
      <WallNotice title="This screen has no token for the wallboard.">
        <p>
          An admin makes one in Settings, API tokens, with the right Wallboard, and opens the address that is shown with
          it once on this screen: <code>{new URL("/wall/open#…", environment().publicUrl).href}</code>. A token that was
          revoked, or is over its end, shows this page too.
        </p>
      </WallNotice>
    </div>
  );
}
