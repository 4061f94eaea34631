import { currentPolicy, listPolicies, stagedPolicy } from "@lynceus/db/policies";
import { rolloutProgress, trialMachines } from "@lynceus/db/policy-rollout";
import { allows } from "@lynceus/protocol/access";
import { policyDifferences } from "@lynceus/protocol/policy-diff";
import { formatCount, safeText } from "@lynceus/protocol/present";
import { rolloutText } from "@lynceus/protocol/rollout";
import { Button } from "@mantine/core";
import type { Metadata } from "next";
import Link from "next/link";
import { ConfirmButton } from "../../../../components/confirm-button.tsx";
import forms from "../../../../components/forms/forms.module.css";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { StateBox } from "../../../../components/layout/state-box.tsx";
import { LocalTime } from "../../../../components/local-time.tsx";
import { Banner } from "../../../../components/status/banner.tsx";
import { Chip } from "../../../../components/status/chip.tsx";
import { Differences } from "../../../../components/targets/differences.tsx";
import { TargetTable } from "../../../../components/targets/target-table.tsx";
import { TrialResult } from "../../../../components/targets/trial-result.tsx";
import { WidenForm } from "../../../../components/targets/widen-form.tsx";
import { stateOf } from "../../../../components/targets/words.ts";
import { database } from "../../../../lib/db.ts";
import { requireRight } from "../../../../lib/session.ts";
import { finish } from "./actions.ts";

export const metadata: Metadata = { title: "Targets and policies" };

/** What agents are told to probe: the version in force, one that is tried or rolled out in part, and all before. */
export default async function TargetsPage({ searchParams }: { searchParams: Promise<{ changed?: string }> }) {
  const { access, fleet } = await requireRight("read");
  const { changed } = await searchParams;
  const admin = allows(access, "configure");
  const db = database();
  const [inForce, staged, versions] = await Promise.all([currentPolicy(db), stagedPolicy(db), listPolicies(db)]);
  const now = Date.now();
  return (
    <>
      <PageHeader title="Targets and policies" asOf={now}>
        {admin && staged === null ? (
          <Button component="a" href="/setup" variant="filled">
            {inForce === null ? "Say which servers" : "Change"}
          </Button>
        ) : null}
      </PageHeader>
      <h1 className="vh">Targets and policies</h1>
      {changed === undefined ? null : (
        <Banner tone="plain">
          <b>Nothing was changed.</b> Somebody else changed the policy meanwhile; this is how it is now.
        </Banner>
      )}
      {inForce === null ? (
        <Panel label="No policy">
          <StateBox title="Agents probe nothing yet.">An admin says which servers and domains they probe.</StateBox>
        </Panel>
      ) : (
        <div className={forms.columns} data-wide="first">
          <div className={forms.column}>
            {staged?.rollout ? (
              <RollingOut
                staged={{ ...staged, rollout: staged.rollout }}
                inForce={inForce}
                {...{ admin, fleet, now }}
              />
            ) : null}
            <Panel
              title={`Version ${inForce.version}, in force`}
              sub={`${formatCount(inForce.body.targets.length)} targets, a cycle each ${formatCount(inForce.body.intervals.cycleMinutes)} min`}
            >
              <TargetTable policy={inForce.body} />
            </Panel>
          </div>
          <Panel title="History" sub="each version stays">
            <div className={forms.scroll}>
              <table className={forms.table}>
                <thead>
                  <tr>
                    <th scope="col">Version</th>
                    <th scope="col">State</th>
                    <th scope="col">Saved</th>
                  </tr>
                </thead>
                <tbody>
                  {versions.map((version) => (
                    <tr key={version.version}>
                      <td>
                        <Link className="link" href={`/targets/${version.version}`}>
                          {version.version}
                        </Link>
                        {version.note === "" ? null : (
                          <small>
                            <bdi>{safeText(version.note)}</bdi>
                          </small>
                        )}
                      </td>
                      <td>
                        <Chip>{stateOf(version, inForce.version)}</Chip>
                        {version.version === staged?.version && version.rollout !== null ? (
                          <small>
                            <bdi>{safeText(rolloutText(version.rollout))}</bdi>
                          </small>
                        ) : null}
                      </td>
                      <td>
                        <LocalTime at={version.createdAt.getTime()} now={now} />
                        <small>
                          <bdi>{safeText(version.createdBy)}</bdi>
                        </small>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </Panel>
        </div>
      )}
    </>
  );
}

type Stored = NonNullable<Awaited<ReturnType<typeof currentPolicy>>>;

/** A version that some machines have: how far it is, how they do, what it changes, and the acts. */
async function RollingOut(props: {
  staged: Stored & { rollout: NonNullable<Stored["rollout"]> };
  inForce: Stored;
  admin: boolean;
  fleet: Awaited<ReturnType<typeof requireRight>>["fleet"];
  now: number;
}) {
  const { staged, inForce, admin, fleet, now } = props;
  const { version, rollout } = staged;
  const [progress, tried] = await Promise.all([
    rolloutProgress(fleet, { version, rollout }),
    trialMachines(fleet, { version, rollout }),
  ]);
  const others = progress.fleet - progress.chosen;
  return (
    <>
      <Panel title={`Version ${version}, rolling out in part`} sub={safeText(rolloutText(rollout))}>
        <dl className={forms.facts}>
          <dt>Machines</dt>
          <dd>
            {formatCount(progress.chosen)} of {formatCount(progress.fleet)}
          </dd>
          <dt>Have it</dt>
          <dd>
            {progress.holding === 0
              ? "none yet"
              : `${formatCount(progress.holding)}; of them ${formatCount(progress.failing)} failing and ${formatCount(progress.healthy)} healthy`}
          </dd>
          <dt>The others</dt>
          <dd>
            {formatCount(progress.othersFailing)} of {formatCount(others)} failing, with version {inForce.version}
          </dd>
          <dt>Since</dt>
          <dd>
            <LocalTime at={staged.createdAt.getTime()} now={now} /> by <bdi>{safeText(staged.createdBy)}</bdi>
          </dd>
        </dl>
        {admin ? (
          <div className={forms.below}>
            <WidenForm
              version={version}
              initial={{
                who: "part",
                machine: "",
                percent: String(rollout.percent),
                sites: rollout.sites.join(", "),
                tags: rollout.tags.join(", "),
              }}
            />
            <div className={`${forms.acts} ${forms.ruled}`} style={{ marginTop: 14 }}>
              <form action={finish}>
                <input type="hidden" name="version" value={version} />
                <input type="hidden" name="to" value="whole" />
                <ConfirmButton
                  label="Give it to the whole fleet"
                  again={`Give it to ${formatCount(progress.fleet)} machines`}
                />
              </form>
              <form action={finish}>
                <input type="hidden" name="version" value={version} />
                <input type="hidden" name="to" value="stop" />
                <ConfirmButton
                  label="Stop it"
                  again={`Stop: ${formatCount(progress.chosen)} go back to version ${inForce.version}`}
                />
              </form>
            </div>
          </div>
        ) : null}
      </Panel>
      {tried.length === 0 ? null : (
        <Panel title="Test" sub="what the chosen machines found since the version was saved">
          {tried.map((machine) => (
            <TrialResult
              key={machine.id}
              policy={staged.body}
              since={staged.createdAt.getTime()}
              {...{ fleet, machine, now }}
            />
          ))}
        </Panel>
      )}
      <Panel title="What it changes" sub={`against version ${inForce.version}`}>
        <Differences
          items={policyDifferences(inForce.body, staged.body)}
          before={`Version ${inForce.version}`}
          after={`Version ${version}`}
        />
      </Panel>
    </>
  );
}
