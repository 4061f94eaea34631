import { inSnapshot } from "@lynceus/db/client";
import { countsOf, fleetCells, patternCounts } from "@lynceus/db/fleet-cells";
import { listSiteSubnets } from "@lynceus/db/sites";
import { textsOf } from "@lynceus/diagnosis/texts";
import { formatCount, formatShare, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import causes from "../../../../components/causes/causes.module.css";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { machinesHref, siteOf, term } from "../../../../components/machines/links.ts";
import overview from "../../../../components/overview/overview.module.css";
import { Count } from "../../../../components/status/count.tsx";
import { requireRight } from "../../../../lib/session.ts";

type Props = { params: Promise<{ slug: string }> };

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: safeText(siteOf((await params).slug)) };
}

/** One site: its machines, what they fail for, and its subnets. */
export default async function SitePage({ params }: Props) {
  const { fleet } = await requireRight("read");
  const site = siteOf((await params).slug);
  const { asOf, cells, subnets } = await inSnapshot(fleet, async (db) => {
    const [moment] = await db.prisma.$queryRaw<{ asOf: Date }[]>`SELECT now() AS "asOf"`;
    return {
      asOf: (moment?.asOf ?? new Date()).getTime(),
      cells: (await fleetCells(db, { site })).filter((cell) => cell.site === site),
      subnets: (await listSiteSubnets(db)).filter((subnet) => subnet.site === site),
    };
  });
  if (cells.length === 0 && subnets.length === 0) notFound();
  const counts = countsOf(cells);
  const all = counts.healthy + counts.failing + counts.stale + counts.cannotTell;
  const at = term("site", site);
  const four = [
    ["healthy", counts.healthy, "Exchange answers on the configured route"],
    ["failing", counts.failing, "Not reached, or no silent sign-in"],
    ["stale", counts.stale, "Silent too long; not counted as bad"],
    ["cannot-tell", counts.cannotTell, "The facts do not allow a verdict"],
  ] as const;
  return (
    <>
      <PageHeader title={<bdi>{safeText(site)}</bdi>} above={[{ title: "Sites", href: "/sites" }]} asOf={asOf}>
        <Link className="link" href={`/?${new URLSearchParams({ site })}`}>
          Overview of this site
        </Link>
      </PageHeader>
      <h1 className="vh">{safeText(site)}</h1>
      <Panel label="State of the site">
        <div className={overview.counts}>
          {four.map(([status, count, meaning]) => (
            <Count
              key={status}
              status={status}
              value={formatCount(count)}
              share={all === 0 ? undefined : formatShare(count, all)}
              meaning={meaning}
              href={machinesHref(term("status", status), at)}
            />
          ))}
        </div>
      </Panel>
      <div className={causes.two}>
        <Panel title="Patterns here" sub="by primary finding, judged now">
          <ul className={causes.list}>
            {patternCounts(cells).map(({ pattern, machines, failing }) => (
              <li key={pattern}>
                <Link
                  href={machinesHref(term("status", "healthy", "failing", "cannot-tell"), term("primary", pattern), at)}
                  prefetch={false}
                >
                  {textsOf(pattern)?.title ?? pattern}{" "}
                  {failing > 0 ? <small>{formatCount(failing)} failing</small> : null}
                </Link>
                <b className="figure">{formatCount(machines)}</b>
              </li>
            ))}
          </ul>
          {patternCounts(cells).length === 0 ? <p className={causes.note}>No machine here has a finding.</p> : null}
        </Panel>
        <Panel title="Subnets" sub="addresses that are at this site">
          <ul className={causes.list}>
            {subnets.map(({ cidr }) => (
              <li key={cidr}>
                <Link className="mono" href={machinesHref(term("subnet", cidr))} prefetch={false}>
                  {cidr}
                </Link>
                <span aria-hidden="true">→</span>
              </li>
            ))}
          </ul>
          {subnets.length === 0 ? (
            <p className={causes.note}>
              No subnet of the map is this site: machines are here by their enrolment token.
            </p>
          ) : null}
        </Panel>
      </div>
    </>
  );
}
