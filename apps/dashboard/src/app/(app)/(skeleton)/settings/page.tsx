import { currentPolicy } from "@lynceus/db/policies";
import { allows } from "@lynceus/protocol/access";
import { formatCount, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import forms from "../../../../components/forms/forms.module.css";
import { Panel } from "../../../../components/layout/panel.tsx";
import { LocalTime } from "../../../../components/local-time.tsx";
import { SettingsHeader } from "../../../../components/settings/settings-header.tsx";
import { database } from "../../../../lib/db.ts";
import { requireRight } from "../../../../lib/session.ts";
import { setupOf } from "../../../../lib/setup-input.ts";

export const metadata: Metadata = { title: "Settings" };

export default async function SettingsPage() {
  const { access } = await requireRight("read");
  const admin = allows(access, "configure");
  const now = Date.now();
  const policy = await currentPolicy(database());
  const targets = policy === null ? null : setupOf(policy.body);
  return (
    <>
      <SettingsHeader access={access} title={null} />
      <h1 className="vh">Settings</h1>
      <div className={forms.columns}>
        <div className={forms.column}>
          <Panel
            title="Servers and domains"
            sub="what agents probe"
            more={
              <Link className="link" href="/targets">
                {admin ? "Targets and policies" : "Targets"}
              </Link>
            }
          >
            {policy === null || targets === null ? (
              <p className={forms.none}>Nothing yet: agents probe nothing until an admin says which servers.</p>
            ) : (
              <dl className={forms.facts}>
                <dt>Exchange</dt>
                <dd className="mono">{targets.ews}</dd>
                <dt>Lync web</dt>
                <dd className="mono">{targets.lyncWeb || "none"}</dd>
                <dt>SMTP domains</dt>
                <dd className="mono">{targets.smtpDomains || "none"}</dd>
                <dt>SIP domains</dt>
                <dd className="mono">{targets.sipDomains || "none"}</dd>
                <dt>Direct way out</dt>
                <dd>{targets.requiresProxy ? "closed on purpose" : "expected"}</dd>
                <dt>Targets</dt>
                <dd>
                  {formatCount(policy.body.targets.length)}, each {formatCount(policy.body.intervals.cycleMinutes)} min
                </dd>
                <dt>Version</dt>
                <dd>
                  {policy.version} by <bdi>{safeText(policy.createdBy)}</bdi>,{" "}
                  <LocalTime at={policy.createdAt.getTime()} now={now} />
                </dd>
              </dl>
            )}
          </Panel>
        </div>
      </div>
    </>
  );
}
