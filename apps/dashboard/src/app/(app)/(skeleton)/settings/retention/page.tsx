import { minuteDays } from "@lynceus/db/count-series";
import { readRetention, storedSize } from "@lynceus/db/retention";
import { tenMinutesDays } from "@lynceus/db/target-samples";
import { allows } from "@lynceus/protocol/access";
import { formatCount } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import forms from "../../../../../components/forms/forms.module.css";
import { Panel } from "../../../../../components/layout/panel.tsx";
import { RetentionForm } from "../../../../../components/settings/retention-form.tsx";
import { SettingsHeader } from "../../../../../components/settings/settings-header.tsx";
import { database } from "../../../../../lib/db.ts";
import { requireRight } from "../../../../../lib/session.ts";

export const metadata: Metadata = { title: "Retention" };

/** What is kept how long, what it costs, and who may change it. */
export default async function RetentionPage() {
  const { access } = await requireRight("read");
  const db = database();
  const { days, saved } = await readRetention(db);
  const { observationDays, historyDays } = days;
  const size = allows(access, "oversee") ? await storedSize(db) : null;
  const kept: [what: string, howLong: string, why: string][] = [
    ["Observations", text(observationDays), "each fact that changed, as the machine sent it; the largest part"],
    ["Present facts and verdicts", "while the machine is there", "a machine that is retired goes with them"],
    ["Timelines, findings, causes, changes", text(historyDays), "from when they were over"],
    ["Incidents and notices", text(historyDays), "from when they were over; open ones stay"],
    ["Helpdesk reports, canaries, fix verifications, check requests", text(historyDays), "they may name a person"],
    ["Messages that could not be stored", text(historyDays), "for whoever looks into why"],
    ["Silences", text(historyDays), "from their end"],
    ["Counts by the minute", text(minuteDays), "fixed; hours stand for them after that"],
    ["Answers of targets in ten minutes", text(tenMinutesDays), "fixed; hours stand for them after that"],
    ["Counts and answers by the hour", text(historyDays), "trends of a month and of the year before"],
    ["Notes on machines", "while the machine is there", "or until somebody removes them"],
    ["Sessions", "7 days", "fixed; since the last use"],
    ["Versions of the policy and of alerting", "always", "so that one can go back"],
    ["Audit log", "always", "the table refuses deletions"],
  ];
  return (
    <>
      <SettingsHeader access={access} title="Retention" />
      <h1 className="vh">Retention</h1>
      <div className={forms.columns} data-wide="first">
        <Panel title="What is kept how long">
          <div className={forms.scroll}>
            <table className={forms.table}>
              <thead>
                <tr>
                  <th scope="col">What</th>
                  <th scope="col">Kept</th>
                  <th scope="col" className={forms.wide}>
                    Why, and since when
                  </th>
                </tr>
              </thead>
              <tbody>
                {kept.map(([what, howLong, why]) => (
                  <tr key={what}>
                    <td>{what}</td>
                    <td className="nowrap">{howLong}</td>
                    <td className={forms.wide}>{why}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Panel>
        <div className={forms.column}>
          <Panel title="Times" sub={saved ? "as saved here" : "as the collector was started"}>
            <div className={forms.body}>
              {allows(access, "configure") ? (
                <RetentionForm
                  initial={{ observationDays: String(observationDays), historyDays: String(historyDays) }}
                />
              ) : (
                <p className="dim">An admin of the whole fleet may change them; each change is in the audit log.</p>
              )}
            </div>
          </Panel>
          <Panel title="Now">
            <dl className={forms.facts}>
              {size === null ? null : (
                <>
                  <dt>Observations</dt>
                  <dd>
                    {megabytes(size.observations)}
                    {size.since === null ? "" : `, since ${size.since.toISOString().slice(0, 10)}`}
                  </dd>
                  <dt>Whole database</dt>
                  <dd>{megabytes(size.all)}</dd>
                </>
              )}
              <dt>Deleted</dt>
              <dd>each day at 03:23 UTC, or when a collector is there again</dd>
              <dt>Backups</dt>
              <dd>hold what was there when they were made</dd>
              <dt>Collected</dt>
              <dd>
                <Link className="link" href="/privacy">
                  every value, with a sentence
                </Link>
              </dd>
            </dl>
          </Panel>
        </div>
      </div>
    </>
  );
}

const text = (days: number) => `${formatCount(days)} ${days === 1 ? "day" : "days"}`;
const megabytes = (bytes: number) => `${formatCount(Math.ceil(bytes / 1_000_000))} MB`;
