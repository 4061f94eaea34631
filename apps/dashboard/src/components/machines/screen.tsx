import { inSnapshot } from "@lynceus/db/client";
import { countMachines, countsWithout, groupMachines, listMachines } from "@lynceus/db/machines";
import { supportedFields } from "@lynceus/db/machines-filter";
import { listViews } from "@lynceus/db/saved-views";
import { allows } from "@lynceus/protocol/access";
import { type FilterFieldInfo, filterFields, formatFilter, parseFilter } from "@lynceus/protocol/filter";
import { splitTerms } from "@lynceus/protocol/filter-completion";
import { formatCount, safeText } from "@lynceus/protocol/present";
import type { Counts } from "@lynceus/protocol/read-api";
import type { SavedView } from "@lynceus/protocol/saved-view";
import { cookies } from "next/headers";
import type { SessionUser } from "../../lib/session.ts";
import { viewerZone } from "../../lib/zone.ts";
import { PageHeader } from "../layout/page-header.tsx";
import { Banner } from "../status/banner.tsx";
import { StatusLabel } from "../status/status-label.tsx";
import { CopyLink } from "./copy-link.tsx";
import { EmptyResult } from "./empty-result.tsx";
import { ExportButton } from "./export-button.tsx";
import type { GroupField } from "./group-fields.ts";
import { GroupTable } from "./group-table.tsx";
import { ListTools } from "./list-tools.tsx";
import { MachinesTable } from "./machines-table.tsx";
import { defaultsOf, firstRows, readRequest } from "./query.ts";
import { RememberZone } from "./remember-zone.tsx";
import { currentView, views } from "./views.ts";
import { ViewsNav } from "./views-nav.tsx";

/** Which machines exactly, and what do they share? The list, as the address or a view of the team asks for it. */
export async function MachinesScreen(props: {
  user: SessionUser;
  params: Record<string, unknown>;
  view: SavedView | null;
}) {
  const { user, params, view } = props;
  const { fleet, access } = user;
  const zone = await viewerZone();
  const now = Date.now();
  const jar = await cookies();
  const remembered = { cols: jar.get("columns")?.value, density: jar.get("density")?.value };
  const defaults = defaultsOf(view, remembered);
  const request = readRequest(params, { now, zone }, defaults);
  const { terms, sort, group } = request;
  const page = await inSnapshot(fleet, async (db) => {
    const all = await countMachines(db);
    const matching = terms.length === 0 ? all : await countMachines(db, { terms });
    const total = sum(matching);
    return {
      all,
      matching,
      first: await listMachines(db, { terms, sort, limit: firstRows, total }),
      groups: group === null ? null : await groupMachines(db, group, { terms }),
      without: total === 0 && terms.length > 0 ? await countsWithout(db, terms) : [],
      team: await listViews(db),
    };
  });
  const { first, matching, without } = page;
  const total = sum(page.all);
  // What a term is called is how it was typed; where some were not understood, how it is written.
  const typed = splitTerms(request.query);
  const texts = typed.length === terms.length ? typed : terms.map((term) => formatFilter([term]));
  const shown = (["healthy", "failing", "stale", "cannot-tell", "signed-off"] as const)
    .map((status) => ({
      status,
      machines: { ...matching, "cannot-tell": matching.cannotTell, "signed-off": matching.signedOff }[status],
    }))
    .filter((entry) => entry.machines > 0);
  const empty = (
    <EmptyResult
      query={request.query}
      total={total}
      without={without.map((machines, i) => ({
        term: texts[i] ?? "",
        rest: texts.filter((_, at) => at !== i).join(" "),
        machines,
      }))}
    />
  );
  return (
    <>
      <RememberZone zone={zone} />
      <PageHeader
        title={view === null ? "Machines" : <bdi>{safeText(view.name)}</bdi>}
        {...(view === null ? {} : { above: [{ title: "Machines", href: "/machines" }] })}
        asOf={Date.parse(first.asOf)}
      >
        <CopyLink defaults={defaults} />
        <ListTools defaults={defaults} />
        <ExportButton defaults={defaults} />
      </PageHeader>
      <h1 className="vh">{view === null ? "Machines" : safeText(view.name)}</h1>
      <ViewsNav
        views={views(page.all)}
        current={currentView(parseFilter(request.query, { now, zone }).terms)}
        team={page.team.map(({ slug, name, q }) => ({ slug, name, q }))}
        view={view?.slug ?? null}
        maySave={allows(access, "operate")}
        defaults={defaults}
        asOf={first.asOf}
      />
      {request.problems.length > 0 ? (
        <div style={{ marginBottom: 8 }}>
          <Banner tone="plain" mark="cannot-tell">
            <b>Part of the filter is not in force.</b> {request.problems.join(" ")}
          </Banner>
        </div>
      ) : null}
      <MachinesTable
        query={request.query}
        sort={sort}
        first={{ items: first.items, total: first.total, asOf: first.asOf }}
        zone={zone}
        fields={supportedFields}
        defaults={defaults}
        may={{
          operate: allows(access, "operate"),
          place: allows(access, "place"),
          administer: allows(access, "administer"),
        }}
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
      >
        {first.total === 0 ? (
          empty
        ) : page.groups !== null && group !== null ? (
          <GroupTable
            field={group as GroupField}
            groups={page.groups.groups}
            total={page.groups.total}
            query={request.query}
            none={(filterFields[group] as FilterFieldInfo).none ? "none" : "unknown"}
          />
        ) : null}
      </MachinesTable>
    </>
  );
}

const sum = (counts: Counts): number =>
  counts.healthy + counts.failing + counts.stale + counts.cannotTell + counts.signedOff;
