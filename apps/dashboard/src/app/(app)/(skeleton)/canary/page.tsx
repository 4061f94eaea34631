import { listCanaries } from "@lynceus/db/canaries";
import { fleetCells } from "@lynceus/db/fleet-cells";
import { allows } from "@lynceus/protocol/access";
import { compareNatural, formatCount, formatTime, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import { CanaryForm } from "../../../../components/canary/canary-form.tsx";
import { isRunning, proposalText, stateText } from "../../../../components/canary/words.ts";
import forms from "../../../../components/forms/forms.module.css";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { RememberZone } from "../../../../components/machines/remember-zone.tsx";
import { Chip } from "../../../../components/status/chip.tsx";
import { requireRight } from "../../../../lib/session.ts";
import { viewerZone, zoneName } from "../../../../lib/zone.ts";

export const metadata: Metadata = { title: "Canary" };

/** Proposed proxy settings: who would change route, who would break, before they are rolled out. */
export default async function CanaryPage() {
  const { access, fleet } = await requireRight("read");
  const zone = await viewerZone();
  const now = Date.now();
  const [canaries, cells] = await Promise.all([listCanaries(fleet, { limit: 50 }), fleetCells(fleet)]);
  const sites = [...new Set(cells.flatMap((cell) => cell.site ?? []))].sort(compareNatural);
  return (
    <>
      <RememberZone zone={zone} />
      <PageHeader title="Canary" asOf={now} />
      <h1 className="vh">Canary</h1>
      <div className={forms.columns}>
        <Panel title="Propose" sub="a script or setting, judged with the machines' own facts">
          <div className={forms.body}>
            {allows(access, "operate") ? (
              <CanaryForm sites={sites} />
            ) : (
              <p className="dim">Your role may read results; an admin proposes.</p>
            )}
          </div>
        </Panel>
        <Panel title="Judged before" sub={zoneName(zone, now)}>
          {canaries.length === 0 ? (
            <p className={forms.none}>None yet.</p>
          ) : (
            <div className={forms.scroll}>
              <table className={forms.table}>
                <thead>
                  <tr>
                    <th scope="col">Proposal</th>
                    <th scope="col" className="num">
                      Would break
                    </th>
                    <th scope="col" className={forms.wide}>
                      State
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {canaries.map((canary) => (
                    <tr key={canary.id}>
                      <td>
                        <Link href={`/canary/${canary.id}`} prefetch={false}>
                          <b>
                            <bdi>{safeText(canary.title)}</bdi>
                          </b>
                        </Link>
                        <small>
                          <bdi>{safeText(proposalText(canary))}</bdi>
                        </small>
                        <small>
                          {formatTime(Date.parse(canary.createdAt), { now, zone })} by{" "}
                          <bdi>{safeText(canary.createdBy)}</bdi>
                        </small>
                      </td>
                      <td className="num nowrap">
                        {canary.evaluated === 0 ? (
                          <span className="dim">unknown</span>
                        ) : (
                          <>
                            <b className={canary.effects.breaks > 0 ? "bad" : ""}>
                              {formatCount(canary.effects.breaks)}
                            </b>{" "}
                            <span className="dim">of {formatCount(canary.evaluated)}</span>
                          </>
                        )}
                      </td>
                      <td className={forms.wide}>
                        {isRunning(canary.state) ? <Chip tone="accent">{stateText(canary)}</Chip> : stateText(canary)}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </Panel>
      </div>
    </>
  );
}
