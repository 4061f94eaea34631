import { getAlerting, type StoredAlertingConfig } from "@lynceus/db/alerting";
import { allows } from "@lynceus/protocol/access";
import { defaultAlerting } from "@lynceus/protocol/alerting";
import { safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { cache } from "react";
import { RestoreVersion } from "../../../../../../components/alerting/acts.tsx";
import { AlertingHeader } from "../../../../../../components/alerting/alerting-header.tsx";
import { ChangeList } from "../../../../../../components/alerting/change-list.tsx";
import forms from "../../../../../../components/forms/forms.module.css";
import { Panel } from "../../../../../../components/layout/panel.tsx";
import { LocalTime } from "../../../../../../components/local-time.tsx";
import { auditChanges } from "../../../../../../components/settings/audit-changes.ts";
import { database } from "../../../../../../lib/db.ts";
import { requireRight } from "../../../../../../lib/session.ts";
import { alerting } from "../../../../../../lib/told.ts";

type Props = { params: Promise<{ version: string }> };

const versionOf = cache(async (text: string): Promise<StoredAlertingConfig | null> => {
  if (!/^[1-9]\d{0,8}$/.test(text)) return null;
  return getAlerting(database(), Number(text));
});

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  await requireRight("oversee");
  const { version } = await params;
  return { title: /^\d{1,9}$/.test(version) ? `Version ${version}` : "Version" };
}

/** What did this version change, and what would going back to it change? */
export default async function VersionPage({ params }: Props) {
  const { access } = await requireRight("oversee");
  const stored = await versionOf((await params).version);
  if (stored === null) notFound();
  const { version, config, createdAt, createdBy, note } = stored;
  const [current, before] = await Promise.all([
    alerting(),
    version === 1 ? null : getAlerting(database(), version - 1),
  ]);
  const now = Date.now();
  const isInForce = current.version === version;
  return (
    <>
      <AlertingHeader
        title={`Version ${version}`}
        above={[{ title: "Versions and file", href: "/alerting/versions" }]}
      />
      <h1 className="vh">Version {version}</h1>
      <div className={forms.columns}>
        <Panel
          title={`What version ${version} changed`}
          sub={
            <>
              <bdi>{safeText(createdBy ?? "", 80)}</bdi>{" "}
              {createdAt === null ? null : <LocalTime at={createdAt.getTime()} now={now} />}
            </>
          }
        >
          <div className={`${forms.body} ${forms.form}`}>
            {note === "" ? null : (
              <p>
                <bdi>{safeText(note, 500)}</bdi>
              </p>
            )}
            <ChangeList changes={auditChanges(before?.config ?? defaultAlerting, config)} />
          </div>
        </Panel>
        <Panel title={isInForce ? "In force" : `What going back to version ${version} would change`}>
          <div className={`${forms.body} ${forms.form}`}>
            {isInForce ? (
              <p>This version decides who is told. Going back to an earlier one makes it the next version.</p>
            ) : (
              <>
                <ChangeList changes={auditChanges(current.config, config)} />
                <p className="dim">
                  Against version {current.version}, which is in force. Secrets are of no version: those of receivers
                  that are still there stay.
                </p>
                {allows(access, "configure") ? <RestoreVersion version={version} over={current.version} /> : null}
              </>
            )}
          </div>
        </Panel>
      </div>
    </>
  );
}
