import { formatCount, formatDuration, formatTime, safeText } from "@lynceus/protocol/present";
import type { FleetChange } from "@lynceus/protocol/read-api";
import Link from "next/link";
import { machineHref } from "../machines/links.ts";
import { Chip } from "../status/chip.tsx";
import styles from "./changes.module.css";
import { changeTitle } from "./words.ts";

/** A change, and how many of the machines that took it fail now; null: of a moment gone by, of which that is not known. */
export interface SeenChange {
  change: FleetChange;
  failing: number | null;
}

/** What changed on machines, the one that was taken last first: the same change on many machines is one. */
export function ChangeList({ changes, now, zone }: { changes: readonly SeenChange[]; now: number; zone: string }) {
  return (
    <ol className={styles.changes}>
      {changes.map(({ change, failing }) => {
        const first = Date.parse(change.firstAt);
        const rolled = Date.parse(change.lastAt) - first;
        return (
          <li key={change.id}>
            <time dateTime={change.firstAt} title={change.firstAt}>
              {formatTime(first, { now, zone })}
            </time>
            <div>
              <Link href={`/changes/${change.id}`} prefetch={false}>
                <b>
                  <bdi>{safeText(changeTitle(change))}</bdi>
                </b>
              </Link>{" "}
              {change.simulated ? <Chip>simulated</Chip> : null}
              <small>
                <Taken change={change} failing={failing} />
                {rolled >= 60_000 ? ` · over ${formatDuration(rolled)}` : ""}
              </small>
            </div>
          </li>
        );
      })}
    </ol>
  );
}

function Taken({ change, failing }: SeenChange) {
  const only = change.sample[0];
  if (change.machines === 0) return <>made for all machines</>;
  return (
    <>
      {change.machines === 1 && only ? (
        <Link href={machineHref(only.id)} prefetch={false}>
          <bdi>{safeText(only.hostname)}</bdi>
        </Link>
      ) : (
        `${formatCount(change.machines)} machines`
      )}
      {failing === null ? null : failing > 0 ? (
        <>
          {" · "}
          <b>{change.machines === 1 ? "failing" : `${formatCount(failing)} failing now`}</b>
        </>
      ) : (
        " · none failing"
      )}
    </>
  );
}
