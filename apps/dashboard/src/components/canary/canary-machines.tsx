import { formatCount, safeText } from "@lynceus/protocol/present";
import type { CanaryMachine, CanaryTarget } from "@lynceus/protocol/read-api-tools";
import Link from "next/link";
import causes from "../causes/causes.module.css";
import { Panel } from "../layout/panel.tsx";
import { machineHref } from "../machines/links.ts";
import { Chip } from "../status/chip.tsx";
import { StatusLabel } from "../status/status-label.tsx";
import styles from "./canary.module.css";
import { basisWords, effectWords } from "./words.ts";

/** Each machine's effect, and the first target that it is for: the route now, the route then, and how that is known. */
export function CanaryMachines(props: {
  title: string;
  machines: readonly CanaryMachine[];
  total: number;
  /** Address of the next machines; null at the end. */
  next: string | null;
}) {
  const { title, machines, total, next } = props;
  return (
    <Panel title={title} sub={`${formatCount(total)}, those that would break first`}>
      {machines.length === 0 ? (
        <p className={causes.none}>None.</p>
      ) : (
        <table className={styles.machines}>
          <thead>
            <tr>
              <th scope="col">Machine</th>
              <th scope="col">Effect</th>
              <th scope="col" className={styles.wide}>
                Route now → then
              </th>
            </tr>
          </thead>
          <tbody>
            {machines.map((machine) => {
              const first = machine.targets.find((target) => target.effect === machine.effect) ?? machine.targets[0];
              return (
                <tr key={machine.machineId}>
                  <td>
                    <Link className="mono" href={machineHref(machine.machineId)} prefetch={false}>
                      <bdi>{safeText(machine.hostname)}</bdi>
                    </Link>
                    <small>
                      <bdi>{machine.site === null ? "no site" : safeText(machine.site)}</bdi>{" "}
                      {machine.simulated ? <Chip>simulated</Chip> : null}
                    </small>
                  </td>
                  <td>
                    <StatusLabel status={effectWords[machine.effect].mark}>
                      {effectWords[machine.effect].title}
                    </StatusLabel>
                    {first === undefined ? null : (
                      <small>
                        {first.host}
                        {machine.targets.length > 1 ? ` and ${formatCount(machine.targets.length - 1)} more` : ""}
                      </small>
                    )}
                  </td>
                  <td className={styles.wide}>{first === undefined ? null : <Ways target={first} />}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
      {next === null ? null : (
        <p className={causes.note}>
          <Link className="link" href={next}>
            Next machines
          </Link>
        </p>
      )}
    </Panel>
  );
}

function Ways({ target }: { target: CanaryTarget }) {
  const { before, after } = target;
  return (
    <>
      <span className={styles.route}>
        <del>
          <span className="vh">now </span>
          <bdi>{safeText(before.route ?? "unknown")}</bdi>
        </del>{" "}
        →{" "}
        <ins>
          <span className="vh">then </span>
          <bdi>{safeText(after.route ?? "unknown")}</bdi>
        </ins>
      </span>
      <small>
        {before.verdict ?? "not known"} → {after.verdict ?? "not known"}; {basisWords[after.basis]}
      </small>
      {after.notes.map((note) => (
        <small key={note}>
          <bdi>{safeText(note)}</bdi>
        </small>
      ))}
    </>
  );
}
