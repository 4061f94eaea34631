import { inSnapshot } from "@lynceus/db/client";
import { countMachines, listMachines } from "@lynceus/db/machines";
import { supportedFields } from "@lynceus/db/machines-filter";
import { parseFilter } from "@lynceus/protocol/filter";
import { splitTerms } from "@lynceus/protocol/filter-completion";
import { formatCount } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { CopyLink } from "../../../../components/machines/copy-link.tsx";
import { EmptyResult } from "../../../../components/machines/empty-result.tsx";
import { machinesHref } from "../../../../components/machines/links.ts";
import styles from "../../../../components/machines/machines.module.css";
import { MachinesTable } from "../../../../components/machines/machines-table.tsx";
import { pageSize, readRequest } from "../../../../components/machines/query.ts";
import { RememberZone } from "../../../../components/machines/remember-zone.tsx";
import { currentView, views } from "../../../../components/machines/views.ts";
import { Banner } from "../../../../components/status/banner.tsx";
import { StatusLabel } from "../../../../components/status/status-label.tsx";
import { requireRight } from "../../../../lib/session.ts";
import { viewerZone } from "../../../../lib/zone.ts";

export const metadata: Metadata = { title: "Machines" };

/** Which machines exactly, and what do they share? */
export default async function MachinesPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const { fleet } = await requireRight("read");
  const zone = await viewerZone();
  const now = Date.now();
  const request = readRequest(await searchParams, { now, zone });
  const { first, matching, tabs, without } = await inSnapshot(fleet, async (db) => {
    const first = await listMachines(db, { terms: request.terms, sort: request.sort, limit: pageSize });
    const matching = await countMachines(db, { terms: request.terms });
    const all = await countMachines(db);
    const parts = splitTerms(request.query);
    const without: { term: string; rest: string; machines: number }[] = [];
    if (first.total === 0) {
      for (const [i, term] of parts.entries()) {
        const rest = parts.filter((_, at) => at !== i).join(" ");
        const terms = readRequest({ q: rest }, { now, zone }).terms;
        without.push({ term, rest, machines: (await listMachines(db, { terms, limit: 1 })).total });
      }
    }
    return { first, matching, tabs: views(all), without };
  });
  const total = tabs[0]?.machines ?? 0;
  const current = currentView(parseFilter(request.query, { now, zone }).terms);
  const shown = (["healthy", "failing", "stale", "cannot-tell", "signed-off"] as const)
    .map((status) => ({
      status,
      machines: { ...matching, "cannot-tell": matching.cannotTell, "signed-off": matching.signedOff }[status],
    }))
    .filter((entry) => entry.machines > 0);

  return (
    <>
      <RememberZone zone={zone} />
      <PageHeader title="Machines" asOf={Date.parse(first.asOf)}>
        <CopyLink />
      </PageHeader>
      <h1 className="vh">Machines</h1>
      <nav className={styles.tabs} aria-label="Views">
        {tabs.map((view) => (
          <Link
            key={view.title}
            href={machinesHref(view.query)}
            aria-current={view.query === current ? "page" : undefined}
          >
            {view.title}
            <span>{formatCount(view.machines)}</span>
          </Link>
        ))}
      </nav>
      {request.problems.length > 0 ? (
        <div style={{ marginBottom: 8 }}>
          <Banner tone="plain" mark="cannot-tell">
            <b>Part of the filter is not in force.</b> {request.problems.join(" ")}
          </Banner>
        </div>
      ) : null}
      <MachinesTable
        query={request.query}
        sort={request.sort}
        first={first}
        zone={zone}
        fields={supportedFields}
        counts={
          <>
            <span>
              <b>{formatCount(first.total)}</b> {first.total === total ? "" : `of ${formatCount(total)} `}
              {total === 1 ? "machine" : "machines"}
            </span>
            {shown.map((entry) => (
              <StatusLabel key={entry.status} status={entry.status}>
                {formatCount(entry.machines)} {entry.status.replace("-", " ")}
              </StatusLabel>
            ))}
          </>
        }
        empty={<EmptyResult query={request.query} total={total} without={without} />}
      />
    </>
  );
}
