import { currentAlerting } from "@lynceus/db/alerting";
import { inSnapshot } from "@lynceus/db/client";
import { CursorError } from "@lynceus/db/cursor";
import { countsOf, fleetCells } from "@lynceus/db/fleet-cells";
import { heldReasons } from "@lynceus/db/incident-page";
import { listIncidents } from "@lynceus/db/incidents";
import { countMachines } from "@lynceus/db/machines";
import { supportedFields } from "@lynceus/db/machines-filter";
import { currentPolicy } from "@lynceus/db/policies";
import { allows } from "@lynceus/protocol/access";
import { parseFilter } from "@lynceus/protocol/filter";
import { formatCount, formatDuration } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import type { ReactNode } from "react";
import { IncidentFilter } from "../../../../components/incidents/incident-filter.tsx";
import { type IncidentColumn, IncidentTable } from "../../../../components/incidents/incident-table.tsx";
import styles from "../../../../components/incidents/incidents.module.css";
import {
  type IncidentSort,
  type ListRequest,
  listHref,
  readListRequest,
  sortIncidents,
} from "../../../../components/incidents/list.ts";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { StateBox } from "../../../../components/layout/state-box.tsx";
import { machinesHref } from "../../../../components/machines/links.ts";
import { RememberZone } from "../../../../components/machines/remember-zone.tsx";
import { reportingCount } from "../../../../components/overview/sentence.ts";
import { Banner } from "../../../../components/status/banner.tsx";
import { requireRight } from "../../../../lib/session.ts";
import { viewerZone } from "../../../../lib/zone.ts";

export const metadata: Metadata = { title: "Incidents" };

/** Open ones are read whole, so that they can be put in any order. */
const mostOpen = 500;
const page = 50;
/** Failing machines that too few share a cause with. */
const loose = "status:failing incident:none";

/** What is open, who has it, and what was before. */
export default async function IncidentsPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const { access, fleet } = await requireRight("read");
  const zone = await viewerZone();
  const params = await searchParams;
  const request = readListRequest(params, { now: Date.now(), zone, fields: supportedFields });
  const over = request.show === "over";
  const read = await inSnapshot(fleet, async (db) => {
    const { terms } = request;
    const list = (cursor: string | null) =>
      listIncidents(db, { open: !over, terms, cursor, limit: over ? page : mostOpen });
    const open = (await listIncidents(db, { open: true, limit: mostOpen })).items;
    return {
      held: await heldReasons(
        db,
        open.map(({ number }) => number),
      ),
      list: await list(request.cursor).catch((error: unknown) => {
        if (error instanceof CursorError) return list(null);
        throw error;
      }),
      open,
      counts: countsOf(await fleetCells(db)),
      loose: (await countMachines(db, { terms: parseFilter(loose, { now: 0 }).terms })).failing,
      cycleMinutes: (await currentPolicy(db))?.body.intervals.cycleMinutes ?? null,
      // Who is told is of the installation; who sees a part of the fleet is told nothing of it.
      receivers: allows(access, "oversee") ? (await currentAlerting(db)).config.receivers.length : null,
    };
  });
  const now = Date.parse(read.list.asOf);
  const clock = { now, zone };
  const { counts, open } = read;
  const reporting = reportingCount(counts);
  const items = over ? read.list.items : sortIncidents(read.list.items, request.sort);
  const unacknowledged = open.filter((incident) => incident.acknowledged === null).length;
  const real = open.filter((incident) => !incident.simulated);

  return (
    <>
      <RememberZone zone={zone} />
      <PageHeader title="Incidents" asOf={now} />
      <h1 className={styles.lede}>{leadText(real.length, unacknowledged)}</h1>
      {read.receivers === 0 ? (
        <div className={styles.banners}>
          <Banner tone="plain" mark="at-risk">
            <b>Nobody is told yet.</b> Incidents appear here and nowhere else until a receiver is set up.
          </Banner>
        </div>
      ) : null}
      <nav className={styles.tabs} aria-label="Incidents">
        <Link href={listHref({ query: request.query })} {...(over ? {} : { "aria-current": "page" as const })}>
          Open<span>{formatCount(open.length)}</span>
        </Link>
        <Link
          href={listHref({ show: "over", query: request.query })}
          {...(over ? { "aria-current": "page" as const } : {})}
        >
          Over
        </Link>
      </nav>
      <div className={styles.filter}>
        <IncidentFilter fields={supportedFields} zone={zone} />
      </div>
      {request.problems.map((problem) => (
        <p key={problem} className={styles.problems}>
          {problem}
        </p>
      ))}
      <Panel label={over ? "Incidents that are over" : "Open incidents"}>
        {items.length === 0 ? (
          <div className={styles.empty}>
            <Empty request={request} counts={counts} cycleMinutes={read.cycleMinutes} />
          </div>
        ) : (
          <div style={{ paddingTop: 11 }}>
            <IncidentTable
              incidents={items}
              held={read.held}
              reporting={over ? null : reporting}
              clock={clock}
              full
              {...(over ? {} : { head: sortHead(request) })}
            />
          </div>
        )}
        {over && (read.list.nextCursor !== null || request.cursor !== null) ? (
          <p className={styles.more}>
            {request.cursor === null ? null : (
              <Link className="link" href={listHref({ show: "over", query: request.query })}>
                ← Latest
              </Link>
            )}
            {read.list.nextCursor === null ? null : (
              <Link
                className="link"
                href={listHref({ show: "over", query: request.query, cursor: read.list.nextCursor })}
              >
                Earlier →
              </Link>
            )}
          </p>
        ) : null}
        {!over && read.loose > 0 ? (
          <p className={styles.foot}>
            <Link className="link" href={machinesHref(loose)} prefetch={false}>
              {formatCount(read.loose)} failing {read.loose === 1 ? "machine belongs" : "machines belong"} to no
              incident
            </Link>
            : too few share {read.loose === 1 ? "its" : "their"} cause, or it began a moment ago.
          </p>
        ) : null}
      </Panel>
    </>
  );
}

function leadText(open: number, unacknowledged: number): ReactNode {
  if (open + unacknowledged === 0) return "No incident is open.";
  const rest =
    unacknowledged === 0
      ? open === 1
        ? "Somebody has it."
        : "Somebody has each of them."
      : `${formatCount(unacknowledged)} ${unacknowledged === 1 ? "is" : "are"} not acknowledged.`;
  return (
    <>
      {formatCount(open)} {open === 1 ? "incident is" : "incidents are"} open.{" "}
      {unacknowledged > 0 ? <em>{rest}</em> : <span className={styles.quiet}>{rest}</span>}
    </>
  );
}

/** A column's head that sorts: by the largest first, then the other way. */
function sortHead(request: ListRequest) {
  const pairs: Record<IncidentColumn, readonly [IncidentSort, IncidentSort]> = {
    number: ["-number", "number"],
    machines: ["-machines", "machines"],
    since: ["-since", "since"],
    state: ["state", "state"],
  };
  return function Head(column: IncidentColumn, title: string) {
    const [first, second] = pairs[column];
    const isOn = request.sort === first || request.sort === second;
    const next = request.sort === first ? second : first;
    return (
      <Link href={listHref({ query: request.query, sort: next })} aria-current={isOn ? "true" : undefined}>
        {title}
        {isOn && first !== second ? (request.sort === first ? " ↓" : " ↑") : null}
      </Link>
    );
  };
}

/** Nothing to list: that nothing is wrong is said of the machines that were seen, and of no others. */
function Empty(props: { request: ListRequest; counts: ReturnType<typeof countsOf>; cycleMinutes: number | null }) {
  const { request, counts, cycleMinutes } = props;
  if (request.terms.length > 0)
    return (
      <StateBox
        title={`No ${request.show === "over" ? "incident that is over" : "open incident"} has such a machine.`}
        action={
          <Link className="link" href={listHref({ show: request.show })}>
            Show all
          </Link>
        }
      >
        The filter is about the machines of an incident: one that fits is enough.
      </StateBox>
    );
  if (request.show === "over") return <StateBox title="No incident was here before." />;
  const seen = counts.healthy + counts.failing;
  if (reportingCount(counts) + counts.signedOff === 0)
    return (
      <StateBox title="No machines yet.">Incidents are made of machines that fail; none is enrolled so far.</StateBox>
    );
  const unseen = [
    counts.stale > 0 ? `${formatCount(counts.stale)} stale` : null,
    counts.cannotTell > 0 ? `${formatCount(counts.cannotTell)} cannot be told` : null,
    counts.signedOff > 0 ? `${formatCount(counts.signedOff)} signed off` : null,
  ].filter((part) => part !== null);
  return (
    <StateBox
      title={
        counts.failing === 0
          ? `No credential prompts expected, on ${formatCount(seen)} ${seen === 1 ? "machine" : "machines"} seen${cycleMinutes === null ? "" : ` in ${formatDuration(3 * cycleMinutes * 60_000)}`}.`
          : "No incident is open."
      }
    >
      {unseen.length === 0 ? "All machines are covered." : `Not covered: ${unseen.join(", ")}.`}
    </StateBox>
  );
}
