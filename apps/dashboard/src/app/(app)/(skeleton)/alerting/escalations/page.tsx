import { allows } from "@lynceus/protocol/access";
import { formatCount, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import { AlertingHeader } from "../../../../../components/alerting/alerting-header.tsx";
import { PieceLink, PiecePanel } from "../../../../../components/alerting/piece-panel.tsx";
import { targetText } from "../../../../../components/alerting/words.ts";
import forms from "../../../../../components/forms/forms.module.css";
import layout from "../../../../../components/layout/layout.module.css";
import { StateBox } from "../../../../../components/layout/state-box.tsx";
import { usersOf } from "../../../../../lib/alerting/pieces.ts";
import { requireRight } from "../../../../../lib/session.ts";
import { alerting } from "../../../../../lib/told.ts";

export const metadata: Metadata = { title: "Escalations" };

/** Who is told when the one before does not answer? */
export default async function EscalationsPage() {
  const { access } = await requireRight("oversee");
  const { config } = await alerting();
  const may = allows(access, "configure");
  const { escalations } = config;
  return (
    <>
      <AlertingHeader title="Escalations" />
      <h1 className="vh">Escalations</h1>
      <PiecePanel
        title="Escalations"
        sub={escalations.length === 0 ? "none yet" : formatCount(escalations.length)}
        kind="escalations"
        add={may ? "Add an escalation" : null}
      >
        {escalations.length === 0 ? (
          <div className={layout.body}>
            <StateBox title="No escalations yet">
              An escalation tells one step after the other until somebody acknowledges: who is on call first, somebody
              else after 20 minutes. A route names it.
            </StateBox>
          </div>
        ) : (
          <table className={forms.table}>
            <thead>
              <tr>
                <th scope="col">Escalation</th>
                <th scope="col">Steps</th>
                <th scope="col" className={forms.wide}>
                  Named by
                </th>
              </tr>
            </thead>
            <tbody>
              {escalations.map((escalation) => {
                const starts = escalation.steps.map((_, place) =>
                  escalation.steps.slice(0, place).reduce((sum, { minutes }) => sum + minutes, 0),
                );
                const whole = escalation.steps.reduce((sum, { minutes }) => sum + minutes, 0);
                const { repeat } = escalation;
                return (
                  <tr key={escalation.id}>
                    <td>
                      <PieceLink kind="escalations" piece={escalation} />
                      <small className="mono">{escalation.id}</small>
                    </td>
                    <td>
                      <ol>
                        {escalation.steps.map((step, place) => (
                          <li key={starts[place]}>
                            <span className="dim">
                              {starts[place] === 0 ? "at once" : `after ${starts[place]} min`}
                            </span>{" "}
                            <bdi>
                              {step.targets.map((target) => safeText(targetText(target, config), 60)).join(", ")}
                            </bdi>
                          </li>
                        ))}
                      </ol>
                      <small>
                        {repeat === 0 ? "then no more" : `then again, ${repeat === 1 ? "once" : `${repeat} times`}`},
                        over after {whole * (repeat + 1)} min
                      </small>
                    </td>
                    <td className={forms.wide}>
                      {usersOf(config, "escalations", escalation.id)
                        .map((user) => safeText(user, 80))
                        .join(", ") || <span className="dim">nothing</span>}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        )}
      </PiecePanel>
    </>
  );
}
