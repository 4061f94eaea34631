import { listAlerting } from "@lynceus/db/alerting";
import { allows } from "@lynceus/protocol/access";
import { formatCount, formatTime, safeText } from "@lynceus/protocol/present";
import { Button } from "@mantine/core";
import type { Metadata } from "next";
import Link from "next/link";
import { AlertingHeader } from "../../../../../components/alerting/alerting-header.tsx";
import forms from "../../../../../components/forms/forms.module.css";
import layout from "../../../../../components/layout/layout.module.css";
import { Panel } from "../../../../../components/layout/panel.tsx";
import { StateBox } from "../../../../../components/layout/state-box.tsx";
import { RememberZone } from "../../../../../components/machines/remember-zone.tsx";
import { Chip } from "../../../../../components/status/chip.tsx";
import { database } from "../../../../../lib/db.ts";
import { requireRight } from "../../../../../lib/session.ts";
import { viewerZone, zoneName } from "../../../../../lib/zone.ts";

export const metadata: Metadata = { title: "Versions and file" };

/** Who changed who is told, and when? */
export default async function VersionsPage() {
  const { access } = await requireRight("oversee");
  const [zone, versions] = await Promise.all([viewerZone(), listAlerting(database())]);
  const now = Date.now();
  const may = allows(access, "configure");
  return (
    <>
      <RememberZone zone={zone} />
      <AlertingHeader title="Versions and file" />
      <h1 className="vh">Versions and file</h1>
      <div className={forms.columns} data-wide="first">
        <Panel title="Versions" sub={versions.length === 0 ? "none yet" : `newest first; ${zoneName(zone, now)}`}>
          {versions.length === 0 ? (
            <div className={layout.body}>
              <StateBox title="Nobody changed anything yet">
                Each save is a version of the whole: who saved it, what it changed, and a way back to it.
              </StateBox>
            </div>
          ) : (
            <table className={forms.table}>
              <thead>
                <tr>
                  <th scope="col">Version</th>
                  <th scope="col">What</th>
                  <th scope="col" className={forms.wide}>
                    Who
                  </th>
                  <th scope="col">When</th>
                </tr>
              </thead>
              <tbody>
                {versions.map(({ version, note, createdBy, createdAt }, place) => (
                  <tr key={version}>
                    <td className="nowrap">
                      <Link className="link" href={`/alerting/versions/${version}`}>
                        <b>{formatCount(version)}</b>
                      </Link>{" "}
                      {place === 0 ? <Chip>in force</Chip> : null}
                    </td>
                    <td>
                      <bdi>{safeText(note, 160) || <span className="dim">no note</span>}</bdi>
                      <small className={forms.narrow}>
                        <bdi>{safeText(createdBy, 80)}</bdi>
                      </small>
                    </td>
                    <td className={forms.wide}>
                      <bdi>{safeText(createdBy, 80)}</bdi>
                    </td>
                    <td className="nowrap">
                      <time dateTime={createdAt.toISOString()} title={createdAt.toISOString()}>
                        {formatTime(createdAt.getTime(), { now, zone })}
                      </time>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Panel>
        <Panel title="One YAML file">
          <div className={`${forms.body} ${forms.form}`}>
            <p>
              The whole of it as one file: to keep it under version control, or to move it to another installation.
              Secrets are not in it; an import keeps those of receivers with the same id.
            </p>
            <div className={forms.acts}>
              <Button component="a" href="/alerting/export" download>
                Export
              </Button>
              {may ? (
                <Button component="a" href="/alerting/import">
                  Import…
                </Button>
              ) : null}
            </div>
            <p className="dim">
              The API does the same: <code>GET</code> and <code>PUT /api/v1/alerting/config</code>.
            </p>
          </div>
        </Panel>
      </div>
    </>
  );
}
