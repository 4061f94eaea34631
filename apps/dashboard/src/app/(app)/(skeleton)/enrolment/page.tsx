import { listTokens } from "@lynceus/db/enrollment";
import { type NoticedMachine, noticedMachines } from "@lynceus/db/noticed-machines";
import { formatCount, middleCut, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import { ConfirmButton } from "../../../../components/confirm-button.tsx";
import styles from "../../../../components/forms/forms.module.css";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { StateBox } from "../../../../components/layout/state-box.tsx";
import { LocalTime } from "../../../../components/local-time.tsx";
import { Chip } from "../../../../components/status/chip.tsx";
import { environment } from "../../../../lib/env.ts";
import { requireRight } from "../../../../lib/session.ts";
import { approve, endToken, refuse } from "./actions.ts";
import { NewToken } from "./new-token.tsx";

export const metadata: Metadata = { title: "Enrolment" };

export default async function EnrolmentPage() {
  const { fleet: db } = await requireRight("administer");
  const [tokens, noticed] = await Promise.all([listTokens(db), noticedMachines(db)]);
  const now = Date.now();
  const { collectorUrl, collectorPin } = environment();
  return (
    <>
      <PageHeader title="Enrolment" asOf={now} />
      <h1 className="vh">Enrolment</h1>
      <div className={styles.columns} data-wide="second">
        <div className={styles.column}>
          <Panel title="New token" sub="machines enrol with it; its text is shown once">
            <div className={styles.body}>
              {collectorUrl === null ? (
                <StateBox title="No token can be made here.">
                  The dashboard was not told the collector's address. Set <code>LYNCEUS_COLLECTOR_URL</code>, e.g.
                  wss://collector.example.org:7443, and start it again.
                </StateBox>
              ) : (
                <NewToken />
              )}
            </div>
          </Panel>
          {collectorUrl === null ? null : (
            <Panel title="Collector" sub="what a token carries">
              <dl className={styles.facts}>
                <dt>Address</dt>
                <dd className="mono">{collectorUrl}</dd>
                <dt>Trust</dt>
                <dd>
                  {collectorPin === null ? (
                    "The authorities that the machine trusts"
                  ) : (
                    <>
                      Its own authority, by pin{" "}
                      <span className="mono" title={collectorPin}>
                        {middleCut(collectorPin, 23)}
                      </span>
                    </>
                  )}
                </dd>
              </dl>
            </Panel>
          )}
        </div>

        <div className={styles.column}>
          <Panel
            title="Waiting for approval"
            sub="they report, but take no part in what is said of the fleet"
            more={noticed.waiting.total === 0 ? undefined : formatCount(noticed.waiting.total)}
          >
            {noticed.waiting.total === 0 ? (
              <p className={styles.none}>None.</p>
            ) : (
              <>
                <MachineTable machines={noticed.waiting.machines} act="approve" />
                {noticed.waiting.machines.length < 2 ? null : (
                  <form action={approve} className={styles.below}>
                    {noticed.waiting.machines.map((machine) => (
                      <input key={machine.id} type="hidden" name="id" value={machine.id} />
                    ))}
                    <ConfirmButton label={`Approve all ${noticed.waiting.machines.length} shown`} />
                  </form>
                )}
              </>
            )}
          </Panel>

          {noticed.cloned.total === 0 ? null : (
            <Panel
              title="Cloned"
              sub="one key used by two machines at once: enrol the copy anew"
              more={formatCount(noticed.cloned.total)}
            >
              <MachineTable machines={noticed.cloned.machines} act="none" />
            </Panel>
          )}

          <Panel title="Tokens" sub="their secrets cannot be read again">
            {tokens.length === 0 ? (
              <p className={styles.none}>None yet.</p>
            ) : (
              <div className={styles.scroll}>
                <table className={styles.table}>
                  <thead>
                    <tr>
                      <th scope="col">Label</th>
                      <th scope="col" className={styles.wide}>
                        Site, tags
                      </th>
                      <th scope="col" className="num">
                        Used
                      </th>
                      <th scope="col">State</th>
                      <th scope="col">
                        <span className="vh">Act</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {tokens.map((token) => {
                      const state =
                        token.revokedAt !== null
                          ? "revoked"
                          : token.expiresAt.getTime() <= now
                            ? "expired"
                            : token.uses >= token.maxUses
                              ? "used up"
                              : null;
                      return (
                        <tr key={token.id} data-over={state !== null}>
                          <td>
                            <b>
                              <bdi>{safeText(token.label) || "no label"}</bdi>
                            </b>
                            <small>
                              <bdi>{safeText(token.createdBy)}</bdi>
                            </small>
                          </td>
                          <td className={styles.wide}>
                            <bdi>{token.site === null ? "by subnet" : safeText(token.site)}</bdi>
                            {token.tags.length === 0 ? null : (
                              <small>
                                <bdi>{token.tags.map((tag) => safeText(tag)).join(", ")}</bdi>
                              </small>
                            )}
                          </td>
                          <td className="num nowrap">
                            {formatCount(token.uses)} of {formatCount(token.maxUses)}
                          </td>
                          <td>
                            {state === null ? (
                              <>
                                until <LocalTime at={token.expiresAt.getTime()} now={now} />
                              </>
                            ) : (
                              <Chip>{state}</Chip>
                            )}
                            {token.needsApproval ? <small>needs approval</small> : null}
                          </td>
                          <td className="num">
                            {state === null ? (
                              <form action={endToken}>
                                <input type="hidden" name="id" value={token.id} />
                                <ConfirmButton label="Revoke" again="Revoke now" describes={token.label} />
                              </form>
                            ) : null}
                          </td>
                        </tr>
                      );
                    })}
                  </tbody>
                </table>
              </div>
            )}
          </Panel>
        </div>
      </div>
    </>
  );
}

function MachineTable({ machines, act }: { machines: readonly NoticedMachine[]; act: "approve" | "none" }) {
  const now = Date.now();
  return (
    <div className={styles.scroll}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Machine</th>
            <th scope="col" className={styles.wide}>
              Site
            </th>
            <th scope="col">{act === "approve" ? "Enrolled" : "Noticed"}</th>
            <th scope="col">
              <span className="vh">Act</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {machines.map((machine) => (
            <tr key={machine.id}>
              <td>
                <Link className="mono" href={`/machines/${machine.id}`} title={safeText(machine.hostname)}>
                  <bdi>{middleCut(safeText(machine.hostname), 28)}</bdi>
                </Link>
                <small>
                  {safeText(machine.os)}
                  {act === "approve" && machine.clonedAt !== null ? " · cloned" : ""}
                </small>
              </td>
              <td className={styles.wide}>
                <bdi>{machine.site === null ? "unknown" : safeText(machine.site)}</bdi>
              </td>
              <td className="nowrap">
                <LocalTime
                  at={(act === "none" ? (machine.clonedAt ?? machine.enrolledAt) : machine.enrolledAt).getTime()}
                  now={now}
                />
              </td>
              <td>
                <div className={styles.acts}>
                  {act === "approve" ? (
                    <form action={approve}>
                      <input type="hidden" name="id" value={machine.id} />
                      <ConfirmButton label="Approve" describes={machine.hostname} />
                    </form>
                  ) : null}
                  <form action={refuse}>
                    <input type="hidden" name="id" value={machine.id} />
                    <ConfirmButton label="Refuse" again="Refuse for good" describes={machine.hostname} />
                  </form>
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
