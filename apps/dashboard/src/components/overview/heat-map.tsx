import { formatCount, safeText } from "@lynceus/protocol/present";
import Link from "next/link";
import type { CSSProperties, ReactNode } from "react";
import { Panel } from "../layout/panel.tsx";
import { machinesHref, reporting } from "../machines/links.ts";
import { type Heat, type HeatGroup, keyShares, shade, textOn } from "./heat.ts";
import styles from "./overview.module.css";

const groupTitles: Record<HeatGroup, string> = {
  failing: "Failing now",
  "at-risk": "Works, at risk",
  finding: "With this finding",
  "not-seen": "Not seen",
};

const mix = (tone: string, percent: number) => `color-mix(in oklab, var(--${tone}) ${percent}%, var(--panel))`;

/**
 * Machines by site and finding; each number opens the machines behind it. On a phone: sites with their worst pattern.
 * `inSite`: filter term of the one site on screen. `linked` is false for a moment gone by, of which no list is kept.
 */
export function HeatMap({
  heat,
  inSite = null,
  linked = true,
}: {
  heat: Heat;
  inSite?: string | null;
  linked?: boolean;
}) {
  const opens = (...terms: (string | null)[]) => (linked ? machinesHref(...terms) : null);
  const groups = (["failing", "at-risk", "finding", "not-seen"] as const)
    .map((group) => ({ group, columns: heat.columns.map((c, i) => ({ ...c, i })).filter((c) => c.group === group) }))
    .filter((entry) => entry.columns.length > 0);
  return (
    <Panel
      title="Site × pattern"
      sub="machines; shade: share of the site"
      more={
        <span className={styles.key} aria-hidden="true">
          {keyShares.map((share) => (
            <span key={share} className={styles.key}>
              <i style={{ background: mix("bad-fill", shade(share * 10_000, 10_000, "bad-fill")) }} />
              {share * 100} %
            </span>
          ))}
        </span>
      }
    >
      {heat.columns.length === 0 ? (
        <p className={styles.small}>No site has a finding, and every machine is seen.</p>
      ) : (
        <>
          <div className={`${styles.scroll} ${styles.wide}`}>
            <table className={styles.heat}>
              <colgroup>
                <col />
                <col style={{ width: 62 }} />
                {groups.map((entry, g) => [
                  g > 0 ? <col key={`${entry.group}-gap`} style={{ width: 10 }} /> : null,
                  ...entry.columns.map((column) => <col key={column.id} style={{ width: 44 }} />),
                ])}
              </colgroup>
              <thead>
                <tr className={styles.groups}>
                  <th />
                  <th />
                  {groups.map((entry, g) => [
                    g > 0 ? <th key={`${entry.group}-gap`} className={styles.gap} /> : null,
                    <th key={entry.group} scope="colgroup" colSpan={entry.columns.length}>
                      {groupTitles[entry.group]}
                    </th>,
                  ])}
                </tr>
                <tr>
                  <th scope="col" className={styles.site}>
                    Site
                  </th>
                  <th scope="col" className={styles.total}>
                    Reporting
                  </th>
                  {groups.map((entry, g) => [
                    g > 0 ? <th key={`${entry.group}-gap`} className={styles.gap} /> : null,
                    ...entry.columns.map((column) => (
                      <th key={column.id} scope="col">
                        <span>{column.title}</span>
                      </th>
                    )),
                  ])}
                </tr>
              </thead>
              <tbody>
                {heat.rows.map((row) => (
                  <tr key={row.title}>
                    <th scope="row" className={styles.site}>
                      <bdi>{safeText(row.title)}</bdi>
                    </th>
                    <td className={styles.total}>
                      <Figure href={opens(row.query, reporting)}>{formatCount(row.reporting)}</Figure>
                    </td>
                    {groups.map((entry, g) => [
                      g > 0 ? <td key={`${entry.group}-gap`} className={styles.gap} /> : null,
                      ...entry.columns.map((column) => {
                        const count = row.cells[column.i] ?? 0;
                        if (count === 0)
                          return (
                            <td key={column.id}>
                              <span className={styles.zero} aria-hidden="true">
                                ·
                              </span>
                              <span className="vh">0</span>
                            </td>
                          );
                        const percent = shade(count, row.reporting, column.tone);
                        return (
                          <td key={column.id}>
                            <Figure
                              href={opens(row.query, column.query)}
                              style={{ background: mix(column.tone, percent), color: textOn(column.tone, percent) }}
                            >
                              {formatCount(count)}
                            </Figure>
                          </td>
                        );
                      }),
                    ])}
                  </tr>
                ))}
              </tbody>
              <tfoot>
                <tr>
                  <th scope="row" className={styles.site}>
                    {inSite === null ? "All sites" : "In all"}
                  </th>
                  <td className={styles.total}>
                    <Figure href={opens(reporting, inSite)}>{formatCount(heat.reporting)}</Figure>
                  </td>
                  {groups.map((entry, g) => [
                    g > 0 ? <td key={`${entry.group}-gap`} className={styles.gap} /> : null,
                    ...entry.columns.map((column) => (
                      <td key={column.id}>
                        <Figure href={opens(column.query, inSite)}>{formatCount(column.total)}</Figure>
                      </td>
                    )),
                  ])}
                </tr>
              </tfoot>
            </table>
          </div>
          <div className={styles.siteList}>
            {heat.rows.map((row) => {
              const worst = heat.columns.find((_, i) => (row.cells[i] ?? 0) > 0);
              const count = worst ? (row.cells[heat.columns.indexOf(worst)] ?? 0) : 0;
              return (
                <Figure key={row.title} href={opens(row.query, worst?.query ?? reporting)}>
                  <bdi>{safeText(row.title)}</bdi>
                  <span className="dim">
                    {worst ? (
                      <>
                        <b>{formatCount(count)}</b> of {formatCount(row.reporting)} · {worst.title}
                      </>
                    ) : (
                      `${formatCount(row.reporting)} reporting, none failing`
                    )}
                  </span>
                </Figure>
              );
            })}
          </div>
          <p className={styles.small}>
            {linked
              ? "A dot is zero. At-risk machines are also counted as healthy. Each number opens the machines behind it."
              : "A dot is zero. A finding's machines failed or were at risk: they were counted together."}
            {heat.hidden > 0 ? ` ${heat.hidden} quieter sites are not listed.` : ""}
          </p>
        </>
      )}
    </Panel>
  );
}

/** A number that opens what it counts, or stands for itself. */
function Figure(props: { href: string | null; style?: CSSProperties; children: ReactNode }) {
  const { href, style, children } = props;
  return href === null ? (
    <span className={styles.figure} style={style}>
      {children}
    </span>
  ) : (
    <Link className={styles.figure} href={href} prefetch={false} style={style}>
      {children}
    </Link>
  );
}
