import { inSnapshot } from "@lynceus/db/client";
import { fleetCells, patternCounts } from "@lynceus/db/fleet-cells";
import { listIncidents } from "@lynceus/db/incidents";
import { patternAccuracy } from "@lynceus/db/reports";
import { textsOf } from "@lynceus/diagnosis/texts";
import { formatCount, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import causes from "../../../../components/causes/causes.module.css";
import { incidentHref } from "../../../../components/incidents/words.ts";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { FixPanel } from "../../../../components/machine/fix-panel.tsx";
import { machinesHref, term } from "../../../../components/machines/links.ts";
import styles from "../../../../components/patterns/patterns.module.css";
import { Proportion } from "../../../../components/patterns/proportion.tsx";
import { severityWords } from "../../../../components/patterns/words.ts";
import { Chip } from "../../../../components/status/chip.tsx";
import { VerdictSentence } from "../../../../components/status/verdict-sentence.tsx";
import { measuredSince } from "../../../../lib/measured-since.ts";
import { requireRight } from "../../../../lib/session.ts";

type Props = { params: Promise<{ id: string }> };

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: textsOf((await params).id)?.title ?? "Pattern" };
}

/** What a pattern says, what it is not, who has it, and how right it was. */
export default async function PatternPage({ params }: Props) {
  const { fleet } = await requireRight("read");
  const texts = textsOf((await params).id);
  if (texts === null) notFound();
  const { accuracy, counts, incidents } = await inSnapshot(fleet, async (db) => ({
    accuracy: await patternAccuracy(db, measuredSince(new Date())),
    counts: patternCounts(await fleetCells(db)),
    incidents: await listIncidents(db, { open: true, pattern: texts.id, limit: 5 }),
  }));
  const figures = accuracy.patterns.find((one) => one.pattern === texts.id) ?? null;
  const count = counts.find((one) => one.pattern === texts.id) ?? null;
  return (
    <>
      <PageHeader
        title={<span className="mono">{texts.id}</span>}
        above={[{ title: "Patterns", href: "/patterns" }]}
        asOf={Date.parse(accuracy.asOf)}
      />
      <div className={causes.chips}>
        {texts.severities.map((severity) => (
          <Chip key={severity} tone={severity === "prompting" ? "bad" : "plain"}>
            {severityWords[severity]}
          </Chip>
        ))}
        <span>confidence {texts.confidences.join(" or ")}</span>
      </div>
      <VerdictSentence next={texts.mechanism}>{texts.title}</VerdictSentence>
      <div className={causes.two} style={{ marginTop: 0 }}>
        <div className={causes.stack}>
          <Panel title="What it is, and what it is not">
            <div className={styles.text}>
              <div>
                <h3>What must be seen</h3>
                <p>{texts.evidence}</p>
              </div>
              <div>
                <h3>What it is not</h3>
                <ul>
                  {texts.notThis.map((line) => (
                    <li key={line}>{line}</li>
                  ))}
                </ul>
              </div>
              <div>
                <h3>Reference</h3>
                <p>
                  {texts.references.length === 0 ? "none" : texts.references.join(", ")}. In the product's documents:{" "}
                  <code>docs/patterns/{texts.id}.md</code>
                </p>
              </div>
            </div>
          </Panel>
          <FixPanel texts={texts} none="No step is known." />
        </div>
        <div className={causes.stack}>
          <Panel title="Machines now" sub="whose primary finding it is">
            <ul className={causes.list}>
              <li>
                <Link href={machinesHref(term("primary", texts.id))}>Machines</Link>
                <b className="figure">{formatCount(count?.machines ?? 0)}</b>
              </li>
              <li>
                <Link href={machinesHref(term("status", "failing"), term("primary", texts.id))}>Failing</Link>
                <b className="figure">{formatCount(count?.failing ?? 0)}</b>
              </li>
              <li>
                <Link href={machinesHref(term("pattern", texts.id))}>All that have it, also beside another one</Link>
                <span aria-hidden="true">→</span>
              </li>
            </ul>
          </Panel>
          <Panel title="Open incidents" sub={formatCount(incidents.total)}>
            <ul className={causes.list}>
              {incidents.items.map(({ number, title, failing }) => (
                <li key={number}>
                  <span>
                    <Link href={incidentHref(number)} className="mono">
                      {number}
                    </Link>{" "}
                    <bdi>{safeText(title, 120)}</bdi>
                  </span>
                  <b className="figure">{formatCount(failing)}</b>
                </li>
              ))}
              {incidents.total === 0 ? (
                <li className="dim">None is open.</li>
              ) : incidents.total > incidents.items.length ? (
                <li>
                  <Link href="/incidents">All open incidents</Link>
                  <span aria-hidden="true">→</span>
                </li>
              ) : null}
            </ul>
          </Panel>
          <Panel
            title="How right it was"
            sub={`${formatCount(accuracy.reports)} helpdesk ${accuracy.reports === 1 ? "report" : "reports"} in 90 days`}
          >
            <ul className={causes.list}>
              <li>
                <span>Right when raised</span>
                <span>
                  <Proportion of={figures?.precision ?? null} />
                </span>
              </li>
              <li>
                <span>Of its prompts, found</span>
                <span>
                  <Proportion of={figures?.recall ?? null} />
                </span>
              </li>
            </ul>
            <p className={causes.note}>
              Right: of the reports at which it held, those where a prompt was seen and no other cause was established.
              Found: of the prompts that were its own or that nothing explained, those at which it held; the least that
              it can be.
            </p>
          </Panel>
        </div>
      </div>
    </>
  );
}
