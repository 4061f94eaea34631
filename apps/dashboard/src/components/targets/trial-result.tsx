import { getMachine } from "@lynceus/db/machines";
import type { TrialMachine } from "@lynceus/db/policy-rollout";
import type { FleetReader } from "@lynceus/db/scope";
import { isBad, isOk, verdictTexts } from "@lynceus/diagnosis/verdicts";
import type { Policy } from "@lynceus/protocol/policy";
import { safeText } from "@lynceus/protocol/present";
import Link from "next/link";
import forms from "../forms/forms.module.css";
import { LocalTime } from "../local-time.tsx";
import { StatusMark } from "../status/status-mark.tsx";

/** What a machine that tries a version found on its configured route: each target, with when. */
export async function TrialResult(props: {
  fleet: FleetReader;
  machine: TrialMachine;
  policy: Policy;
  since: number;
  now: number;
}) {
  const { fleet, machine, policy, since, now } = props;
  const probes = Object.values((await getMachine(fleet, machine.id))?.facts.probes ?? {});
  return (
    <div className={forms.scroll}>
      <table className={forms.table}>
        <caption className={forms.caption}>
          <span>
            <StatusMark status={machine.status} />
            <Link className="mono" href={`/machines/${machine.id}`}>
              <bdi>{safeText(machine.hostname)}</bdi>
            </Link>
            <span className="dim">
              {machine.holds
                ? "has it"
                : machine.connected
                  ? "is told of it; the answer comes with its next heartbeat"
                  : "is not connected; it is told when it is"}
            </span>
          </span>
        </caption>
        <thead>
          <tr>
            <th scope="col">Target</th>
            <th scope="col">Configured route</th>
            <th scope="col" className={forms.wide}>
              Direct
            </th>
            <th scope="col">Seen</th>
          </tr>
        </thead>
        <tbody>
          {policy.targets.map((target) => {
            // Facts of before the version was saved say nothing of it.
            const of = (via: "configured" | "direct") =>
              probes.find((slot) => slot.facts.target === target.id && slot.facts.via === via && slot.at >= since);
            const [configured, direct] = [of("configured"), of("direct")];
            const word = (slot: typeof configured) =>
              slot === undefined
                ? "not yet"
                : `${isOk(slot.verdict, target) ? "ok" : isBad(slot.verdict, target) ? "fails" : "undecided"}: ${verdictTexts[slot.verdict]}`;
            return (
              <tr key={target.id} data-over={configured === undefined}>
                <td>
                  <bdi className="mono">{safeText(target.id)}</bdi>
                </td>
                <td>{word(configured)}</td>
                <td className={forms.wide}>{word(direct)}</td>
                <td className="nowrap">
                  {configured === undefined ? "–" : <LocalTime at={configured.at} now={now} />}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
