import { allows } from "@lynceus/protocol/access";
import { safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import { AlertingHeader } from "../../../../../components/alerting/alerting-header.tsx";
import { PieceForm } from "../../../../../components/alerting/piece-form.tsx";
import { PieceLink, PiecePanel } from "../../../../../components/alerting/piece-panel.tsx";
import forms from "../../../../../components/forms/forms.module.css";
import { Panel } from "../../../../../components/layout/panel.tsx";
import { choicesOf, heartbeatFields, heartbeatSecrets, secretsSet } from "../../../../../lib/alerting/page-data.ts";
import { pieceOf } from "../../../../../lib/alerting/pieces.ts";
import { noKeyText } from "../../../../../lib/alerting/save.ts";
import { environment } from "../../../../../lib/env.ts";
import { requireRight } from "../../../../../lib/session.ts";
import { alerting } from "../../../../../lib/told.ts";

export const metadata: Metadata = { title: "Limits" };

/** What makes an incident, and which incidents keep others quiet? */
export default async function LimitsPage() {
  const { access } = await requireRight("oversee");
  const [{ config, version }, set] = await Promise.all([alerting(), secretsSet()]);
  const may = allows(access, "configure");
  const { inhibitions } = config;
  return (
    <>
      <AlertingHeader title="Limits" />
      <h1 className="vh">Limits</h1>
      <div className={forms.columns}>
        <Panel title="Limits" sub="of the whole installation">
          <div className={forms.body}>
            <PieceForm
              kind="limits"
              id=""
              version={version}
              value={pieceOf(config, "limits", "")}
              choices={choicesOf(config)}
              secrets={heartbeatFields(set[heartbeatSecrets] ?? [])}
              sealed={environment().secretKeys === null ? noKeyText : null}
              allowed={may}
              done={null}
            />
          </div>
        </Panel>
        <PiecePanel
          title="One cause, one page"
          sub="incidents that keep others quiet"
          kind="inhibitions"
          add={may ? "Add a rule" : null}
        >
          {inhibitions.length === 0 ? (
            <p className={forms.none}>
              No rules. While Exchange is down for everyone, a proxy that fails as well need not page anybody: such a
              rule says so.
            </p>
          ) : (
            <table className={forms.table}>
              <thead>
                <tr>
                  <th scope="col">While this is open</th>
                  <th scope="col">nobody is told of</th>
                </tr>
              </thead>
              <tbody>
                {inhibitions.map((rule) => (
                  <tr key={rule.id}>
                    <td>
                      <PieceLink kind="inhibitions" piece={rule} />
                      <small className="mono">
                        <bdi>{safeText(rule.source, 200)}</bdi>
                      </small>
                    </td>
                    <td>
                      {rule.target === "" ? "all others" : <bdi className="mono">{safeText(rule.target, 200)}</bdi>}
                      <small>
                        {rule.same.length === 0 ? "wherever they are" : `of the same ${rule.same.join(" and ")}`}
                      </small>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </PiecePanel>
      </div>
    </>
  );
}
