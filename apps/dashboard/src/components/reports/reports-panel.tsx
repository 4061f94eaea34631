import { patternTexts } from "@lynceus/diagnosis/texts";
import { formatTime, safeText } from "@lynceus/protocol/present";
import type { MachineReport } from "@lynceus/protocol/read-api-tools";
import { removeReport } from "../../app/(app)/machines/[id]/actions.ts";
import { ConfirmButton } from "../confirm-button.tsx";
import forms from "../forms/forms.module.css";
import { Panel } from "../layout/panel.tsx";
import { ReportForm } from "./report-form.tsx";

/** What people saw on this machine, beside what was said of it then. */
export function ReportsPanel(props: {
  machineId: string;
  reports: readonly MachineReport[];
  mayRemove: boolean;
  now: number;
  zone: string;
}) {
  const { machineId, reports, mayRemove, now, zone } = props;
  const patterns = patternTexts
    .filter(({ severities }) => severities.some((severity) => severity !== "at-risk"))
    .map(({ id, title }) => ({ value: id, label: title }));
  return (
    <Panel title="Helpdesk reports" id="reports" sub="what a person saw; it measures how right the patterns are">
      {reports.length === 0 ? null : (
        <div className={forms.scroll}>
          <table className={forms.table}>
            <thead>
              <tr>
                <th scope="col">Seen at</th>
                <th scope="col">User</th>
                <th scope="col">Prompt</th>
                <th scope="col" className={forms.wide}>
                  Held at that moment
                </th>
                {mayRemove ? (
                  <th scope="col">
                    <span className="vh">Act</span>
                  </th>
                ) : null}
              </tr>
            </thead>
            <tbody>
              {reports.map((entry) => (
                <tr key={entry.id}>
                  <td className="nowrap">{formatTime(Date.parse(entry.at), { now, zone })}</td>
                  <td>
                    <bdi>{safeText(entry.user)}</bdi>
                    <small>
                      by <bdi>{safeText(entry.createdBy)}</bdi>
                      {entry.note === "" ? null : (
                        <>
                          : <bdi>{safeText(entry.note, 500)}</bdi>
                        </>
                      )}
                    </small>
                  </td>
                  <td>
                    {entry.prompted ? "seen" : "none seen"}
                    {entry.pattern === null ? null : <small>established: {entry.pattern}</small>}
                  </td>
                  <td className={forms.wide}>
                    {entry.raised.length === 0 ? (
                      <span className="dim">no finding that makes prompts expected</span>
                    ) : (
                      entry.raised.join(", ")
                    )}
                  </td>
                  {mayRemove ? (
                    <td>
                      <form action={removeReport} className={forms.acts}>
                        <input type="hidden" name="id" value={entry.id} />
                        <ConfirmButton label="Remove" again="Remove now" describes={`report of ${entry.user}`} />
                      </form>
                    </td>
                  ) : null}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <details className={`${forms.details} ${reports.length > 0 ? forms.ruled : ""}`}>
        <summary>User was prompted at…</summary>
        <div className={forms.body}>
          <ReportForm machineId={machineId} patterns={patterns} />
        </div>
      </details>
    </Panel>
  );
}
