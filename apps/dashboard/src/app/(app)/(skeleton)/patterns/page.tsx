import { inSnapshot } from "@lynceus/db/client";
import { fleetCells, patternCounts } from "@lynceus/db/fleet-cells";
import { patternAccuracy } from "@lynceus/db/reports";
import { patternTexts } from "@lynceus/diagnosis/texts";
import { formatCount } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { machinesHref, term } from "../../../../components/machines/links.ts";
import styles from "../../../../components/patterns/patterns.module.css";
import { Proportion } from "../../../../components/patterns/proportion.tsx";
import { severityWords } from "../../../../components/patterns/words.ts";
import { measuredSince } from "../../../../lib/measured-since.ts";
import { requireRight } from "../../../../lib/session.ts";

export const metadata: Metadata = { title: "Patterns" };

/** Every pattern, how many machines have it now, and how right it was by what people saw. */
export default async function PatternsPage() {
  const { fleet } = await requireRight("read");
  const { accuracy, counts } = await inSnapshot(fleet, async (db) => ({
    accuracy: await patternAccuracy(db, measuredSince(new Date())),
    counts: patternCounts(await fleetCells(db)),
  }));
  const now = Date.parse(accuracy.asOf);
  const figures = new Map(accuracy.patterns.map((one) => [one.pattern as string, one]));
  const machines = new Map(counts.map((one) => [one.pattern as string, one]));
  const rows = [...patternTexts].sort(
    (a, b) => (machines.get(b.id)?.machines ?? 0) - (machines.get(a.id)?.machines ?? 0),
  );
  return (
    <>
      <PageHeader title="Patterns" asOf={now} />
      <h1 className="vh">Patterns</h1>
      <Panel
        title={`${formatCount(rows.length)} patterns`}
        sub={
          accuracy.reports === 0
            ? "no helpdesk report in the last 90 days: how right they are is not known here"
            : `measured by ${formatCount(accuracy.reports)} helpdesk ${accuracy.reports === 1 ? "report" : "reports"} of the last 90 days, ${formatCount(accuracy.prompts)} with a prompt; of these, explained:`
        }
        more={accuracy.reports === 0 ? undefined : <Proportion of={accuracy.explained} />}
      >
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">Pattern</th>
              <th scope="col" className={styles.wide}>
                What it means
              </th>
              <th scope="col" className="num">
                Machines now
              </th>
              <th scope="col" className={styles.wide}>
                Right when raised
              </th>
              <th scope="col" className={styles.wide}>
                Of its prompts, found
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((texts) => {
              const count = machines.get(texts.id);
              const right = figures.get(texts.id);
              return (
                <tr key={texts.id}>
                  <td>
                    <Link href={`/patterns/${texts.id}`} prefetch={false}>
                      <b>{texts.title}</b>
                    </Link>
                    <small>
                      {texts.id} · {texts.whoFixes}
                    </small>
                  </td>
                  <td className={`${styles.wide} ink2`}>
                    {texts.severities.map((severity) => severityWords[severity]).join("; ")}
                  </td>
                  <td className="num">
                    {count === undefined ? (
                      <span className="dim">0</span>
                    ) : (
                      <Link href={machinesHref(term("primary", texts.id))} prefetch={false}>
                        <b className="figure">{formatCount(count.machines)}</b>
                        {count.failing > 0 ? (
                          <small className={styles.failing}>{formatCount(count.failing)} failing</small>
                        ) : null}
                      </Link>
                    )}
                  </td>
                  <td className={styles.wide}>
                    <Proportion of={right?.precision ?? null} />
                  </td>
                  <td className={styles.wide}>
                    <Proportion of={right?.recall ?? null} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Panel>
    </>
  );
}
