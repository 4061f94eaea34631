import { formatCount, safeText } from "@lynceus/protocol/present";
import type { Cause, MachineRef } from "@lynceus/protocol/read-api";
import Link from "next/link";
import { Panel } from "../layout/panel.tsx";
import { machineHref } from "../machines/links.ts";
import styles from "./causes.module.css";

/** Counter-examples on both sides: what fails without the shared value, and what works with it. */
export function Misfits({ cause }: { cause: Cause }) {
  const { failing, healthy } = cause.counterExamples;
  const none = cause.failingWithout === 0 && cause.healthyWith === 0;
  return (
    <Panel title={none ? "None do not fit" : "Those that do not fit"} sub="counter-examples, on both sides">
      {none ? (
        <p className={styles.none}>Every failing machine shares it, and no healthy one does.</p>
      ) : (
        <div className={styles.list}>
          <Side
            title={`${formatCount(cause.failingWithout)} failing without it`}
            total={cause.failingWithout}
            machines={failing}
          />
          <Side
            title={`${formatCount(cause.healthyWith)} healthy with it`}
            total={cause.healthyWith}
            machines={healthy}
          />
        </div>
      )}
      {cause.failingUnknown + cause.healthyUnknown > 0 ? (
        <p className={styles.note}>
          Not known of {formatCount(cause.failingUnknown)} failing and {formatCount(cause.healthyUnknown)} healthy
          machines: they count on neither side.
        </p>
      ) : null}
    </Panel>
  );
}

function Side({ title, total, machines }: { title: string; total: number; machines: readonly MachineRef[] }) {
  if (total === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul>
        {machines.map((machine) => (
          <li key={machine.id}>
            <Link className="mono" href={machineHref(machine.id)} prefetch={false}>
              <bdi>{safeText(machine.hostname)}</bdi>
            </Link>
          </li>
        ))}
        {total > machines.length ? (
          <li>
            <small>and {formatCount(total - machines.length)} more</small>
          </li>
        ) : null}
      </ul>
    </>
  );
}
