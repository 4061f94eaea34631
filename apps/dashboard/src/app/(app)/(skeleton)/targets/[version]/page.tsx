import { currentPolicy, getPolicy, stagedPolicy } from "@lynceus/db/policies";
import { allows } from "@lynceus/protocol/access";
import { policyDifferences } from "@lynceus/protocol/policy-diff";
import { safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { ConfirmButton } from "../../../../../components/confirm-button.tsx";
import forms from "../../../../../components/forms/forms.module.css";
import { PageHeader } from "../../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../../components/layout/panel.tsx";
import { LocalTime } from "../../../../../components/local-time.tsx";
import { Differences } from "../../../../../components/targets/differences.tsx";
import { TargetTable } from "../../../../../components/targets/target-table.tsx";
import { stateOf } from "../../../../../components/targets/words.ts";
import { database } from "../../../../../lib/db.ts";
import { requireRight } from "../../../../../lib/session.ts";
import { bringBack } from "../actions.ts";

export const metadata: Metadata = { title: "Version of the policy" };

/** One version of the policy: what it changed, what it differs in from the one in force, and the way back to it. */
export default async function VersionPage({ params }: { params: Promise<{ version: string }> }) {
  const { access } = await requireRight("read");
  const { version: text } = await params;
  const db = database();
  const number = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0;
  const version = await getPolicy(db, number);
  if (version === null) notFound();
  const [inForce, staged, before] = await Promise.all([currentPolicy(db), stagedPolicy(db), getPolicy(db, number - 1)]);
  const now = Date.now();
  const isOther = inForce !== null && inForce.version !== number;
  const differences = isOther ? policyDifferences(inForce.body, version.body) : [];
  return (
    <>
      <PageHeader title={`Version ${number}`} above={[{ title: "Targets and policies", href: "/targets" }]} />
      <h1 className="vh">Version {number} of the policy</h1>
      <div className={forms.columns} data-wide="first">
        <div className={forms.column}>
          <Panel title="What it changed" {...(before === null ? {} : { sub: `against version ${before.version}` })}>
            {before === null ? (
              <p className={forms.none}>It is the first one.</p>
            ) : (
              <Differences
                items={policyDifferences(before.body, version.body)}
                before={`Version ${before.version}`}
                after={`Version ${number}`}
              />
            )}
          </Panel>
          {isOther ? (
            <Panel title="If it came back" sub={`against version ${inForce.version}, in force`}>
              <Differences items={differences} before={`Version ${inForce.version}`} after={`Version ${number}`} />
              {!allows(access, "configure") || differences.length === 0 ? null : (
                <div className={forms.below}>
                  {staged === null ? (
                    <form action={bringBack}>
                      <input type="hidden" name="version" value={number} />
                      <input type="hidden" name="base" value={inForce.version} />
                      <ConfirmButton label="Bring it back" again="Bring it back to the whole fleet" />
                    </form>
                  ) : (
                    <p className="dim">
                      {staged.version === number
                        ? "It is rolled out in part now."
                        : `Version ${staged.version} is rolled out in part; give it to the whole fleet or stop it first.`}
                    </p>
                  )}
                </div>
              )}
            </Panel>
          ) : null}
          <Panel title="Targets" sub={stateOf(version, inForce?.version ?? null)}>
            <TargetTable policy={version.body} />
          </Panel>
        </div>
        <Panel title="Version" sub={stateOf(version, inForce?.version ?? null)}>
          <dl className={forms.facts}>
            <dt>Saved</dt>
            <dd>
              <LocalTime at={version.createdAt.getTime()} now={now} /> by <bdi>{safeText(version.createdBy)}</bdi>
            </dd>
            <dt>Note</dt>
            <dd>
              <bdi>{version.note === "" ? "none" : safeText(version.note)}</bdi>
            </dd>
            {version.inForceAt === null ? null : (
              <>
                <dt>Whole fleet</dt>
                <dd>
                  since <LocalTime at={version.inForceAt.getTime()} now={now} />
                </dd>
              </>
            )}
            {version.withdrawnAt === null ? null : (
              <>
                <dt>Stopped</dt>
                <dd>
                  <LocalTime at={version.withdrawnAt.getTime()} now={now} />
                </dd>
              </>
            )}
          </dl>
        </Panel>
      </div>
    </>
  );
}
