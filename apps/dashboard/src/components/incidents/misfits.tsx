import type { NamedMachine } from "@lynceus/db/incident-page";
import { formatCount, middleCut, safeText } from "@lynceus/protocol/present";
import Link from "next/link";
import { Panel } from "../layout/panel.tsx";
import { machineHref } from "../machines/links.ts";
import styles from "./incidents.module.css";

/** Machines that speak against the cause: failing without what the members share, and healthy with it. */
export function Misfits(props: {
  subject: string;
  failing: { machines: readonly NamedMachine[]; total: number };
  healthy: { machines: readonly NamedMachine[]; total: number };
  /** Of whom it is not known on which side they are. */
  unknown: number;
}) {
  const { subject, failing, healthy, unknown } = props;
  const none = failing.total + healthy.total === 0;
  const title =
    failing.total > 0
      ? `${formatCount(failing.total)} ${failing.total === 1 ? "does" : "do"} not fit`
      : healthy.total > 0
        ? "Healthy, and share it"
        : "None do not fit";
  return (
    <Panel
      title={title}
      {...(failing.total > 0 ? { sub: <bdi>failing, but not with {safeText(subject, 80)}</bdi> } : {})}
    >
      {none ? (
        <p className={styles.none}>Every failing machine shares it, and no healthy one does.</p>
      ) : (
        <table className={styles.misfits}>
          <tbody>
            <Rows side={failing} />
            {healthy.total > 0 && failing.total > 0 ? (
              <tr>
                <th colSpan={3} scope="colgroup">
                  {formatCount(healthy.total)} healthy, and {healthy.total === 1 ? "shares" : "share"} it
                </th>
              </tr>
            ) : null}
            <Rows side={healthy} />
          </tbody>
        </table>
      )}
      {unknown > 0 ? (
        <p className={styles.foot}>Not known of {formatCount(unknown)} machines: they count on neither side.</p>
      ) : null}
    </Panel>
  );
}

function Rows({ side }: { side: { machines: readonly NamedMachine[]; total: number } }) {
  const more = side.total - side.machines.length;
  return (
    <>
      {side.machines.map((machine) => (
        <tr key={machine.id}>
          <td>
            <Link className="mono nowrap" href={machineHref(machine.id)} prefetch={false}>
              <bdi title={safeText(machine.hostname)}>{middleCut(safeText(machine.hostname), 22)}</bdi>
            </Link>
          </td>
          <td className="nowrap">{machine.pattern ?? <span className="dim">healthy</span>}</td>
          <td className="dim">
            <bdi>{machine.cause === null ? safeText(machine.site ?? "no site", 60) : safeText(machine.cause, 120)}</bdi>
          </td>
        </tr>
      ))}
      {more > 0 ? (
        <tr>
          <td colSpan={3} className="dim">
            and {formatCount(more)} more
          </td>
        </tr>
      ) : null}
    </>
  );
}
