import { inSnapshot } from "@lynceus/db/client";
import { fleetCells } from "@lynceus/db/fleet-cells";
import { listSiteSubnets, subnetOverlaps } from "@lynceus/db/sites";
import { allows, isWholeFleet } from "@lynceus/protocol/access";
import { formatCount, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import forms from "../../../../components/forms/forms.module.css";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { StateBox } from "../../../../components/layout/state-box.tsx";
import { machinesHref, reporting, siteHref, term } from "../../../../components/machines/links.ts";
import styles from "../../../../components/patterns/patterns.module.css";
import { MapForm } from "../../../../components/sites/map-form.tsx";
import { siteRows } from "../../../../components/sites/rows.ts";
import { StatusMark } from "../../../../components/status/status-mark.tsx";
import { requireRight } from "../../../../lib/session.ts";
import { siteMapText } from "../../../../lib/site-map-input.ts";

export const metadata: Metadata = { title: "Sites" };

/** Where machines are, how they are there, and which subnet says so. */
export default async function SitesPage() {
  const { access, fleet } = await requireRight("read");
  const { asOf, cells, subnets } = await inSnapshot(fleet, async (db) => {
    const [moment] = await db.prisma.$queryRaw<{ asOf: Date }[]>`SELECT now() AS "asOf"`;
    return {
      asOf: (moment?.asOf ?? new Date()).getTime(),
      cells: await fleetCells(db),
      subnets: await listSiteSubnets(db),
    };
  });
  const rows = siteRows(cells, subnets);
  const sites = rows.filter(({ site }) => site !== null).length;
  const overlaps = subnetOverlaps(subnets);
  const mayEdit = allows(access, "configure");
  return (
    <>
      <PageHeader title="Sites" asOf={asOf} />
      <h1 className="vh">Sites</h1>
      <Panel title={sites === 1 ? "1 site" : `${formatCount(sites)} sites`} sub="those that fail or are not seen first">
        {rows.length === 0 ? (
          <div className={forms.body}>
            <StateBox title="No machine and no subnet yet.">
              A machine is at the site that its enrolment token, its tags or the map below say.
            </StateBox>
          </div>
        ) : (
          <div className={forms.scroll}>
            <table className={styles.table}>
              <thead>
                <tr>
                  <th scope="col">Site</th>
                  <th scope="col" className="num">
                    Machines
                  </th>
                  <th scope="col" className="num">
                    Failing
                  </th>
                  <th scope="col" className={`num ${styles.wide}`}>
                    Stale
                  </th>
                  <th scope="col" className={`num ${styles.wide}`}>
                    Cannot tell
                  </th>
                  <th scope="col" className={styles.wide}>
                    Subnets
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map(({ site, counts, reporting: all, subnets: own }) => {
                  const at = site === null ? "site:none,unknown" : term("site", site);
                  const figure = (status: "failing" | "stale" | "cannot-tell", value: number) =>
                    value === 0 ? (
                      <span className="dim">0</span>
                    ) : (
                      <Link href={machinesHref(term("status", status), at)} prefetch={false}>
                        <span style={{ display: "inline-flex", gap: 6, alignItems: "center" }}>
                          <StatusMark status={status} size={10} />
                          <b className="figure">{formatCount(value)}</b>
                        </span>
                      </Link>
                    );
                  return (
                    <tr key={site ?? ""}>
                      <td>
                        {site === null ? (
                          <span className="ink2">no site</span>
                        ) : (
                          <Link href={siteHref(site)} prefetch={false}>
                            <b>
                              <bdi>{safeText(site)}</bdi>
                            </b>
                          </Link>
                        )}
                      </td>
                      <td className="num">
                        {all === 0 ? (
                          <span className="dim">0</span>
                        ) : (
                          <Link href={machinesHref(reporting, at)} prefetch={false}>
                            <b className="figure">{formatCount(all)}</b>
                          </Link>
                        )}
                      </td>
                      <td className="num">{figure("failing", counts.failing)}</td>
                      <td className={`num ${styles.wide}`}>{figure("stale", counts.stale)}</td>
                      <td className={`num ${styles.wide}`}>{figure("cannot-tell", counts.cannotTell)}</td>
                      <td className={`mono ${styles.wide}`}>
                        {own.length === 0 ? (
                          <span className="dim" style={{ fontFamily: "var(--sans)" }}>
                            none in the map
                          </span>
                        ) : (
                          <>
                            {own
                              .slice(0, 3)
                              .map(({ cidr }) => cidr)
                              .join(", ")}
                            {own.length > 3 ? ` and ${formatCount(own.length - 3)} more` : ""}
                          </>
                        )}
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
      </Panel>
      <div style={{ marginTop: 14 }}>
        <Panel
          title="Subnet map"
          sub={
            subnets.length === 1
              ? "1 subnet"
              : `${formatCount(subnets.length)} subnets${isWholeFleet(fleet.scope) ? "" : ", of your sites"}`
          }
        >
          {overlaps.length === 0 ? (
            <p className={forms.none}>
              {subnets.length === 0
                ? "The map is empty: machines are at the site that their enrolment token names."
                : "No subnet lies within one of another site."}
            </p>
          ) : (
            <>
              <p className={forms.none}>
                {overlaps.length === 1
                  ? "1 subnet lies within one of another site; the narrower one counts:"
                  : `${formatCount(overlaps.length)} subnets lie within one of another site; the narrower one counts:`}
              </p>
              <div className={forms.scroll}>
                <table className={styles.table}>
                  <thead>
                    <tr>
                      <th scope="col">Subnet</th>
                      <th scope="col">Is</th>
                      <th scope="col">Lies within</th>
                      <th scope="col">Which is</th>
                    </tr>
                  </thead>
                  <tbody>
                    {overlaps.slice(0, 50).map(({ inner, outer }) => (
                      <tr key={inner.cidr}>
                        <td className="mono">{inner.cidr}</td>
                        <td>
                          <bdi>{safeText(inner.site)}</bdi>
                        </td>
                        <td className="mono">{outer.cidr}</td>
                        <td>
                          <bdi>{safeText(outer.site)}</bdi>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            </>
          )}
          {mayEdit ? (
            <div className={`${forms.body} ${forms.ruled}`}>
              <MapForm map={siteMapText(subnets)} />
            </div>
          ) : null}
        </Panel>
      </div>
    </>
  );
}
