import type { HeldReason } from "@lynceus/incidents/reasons";
import { formatCount, formatTime, safeText } from "@lynceus/protocol/present";
import type { Incident } from "@lynceus/protocol/read-api-incidents";
import Link from "next/link";
import type { ReactNode } from "react";
import { Chip } from "../status/chip.tsx";
import { StatusMark } from "../status/status-mark.tsx";
import styles from "./incidents.module.css";
import { ageText, type Clock, heldText, incidentHref, markOf, ownerChip, sitesText, stateChip } from "./words.ts";

/** Columns that may be sorted by, with the head of each. */
export type IncidentColumn = "number" | "machines" | "since" | "state";

/** One cause, one incident, one row. `head` makes a column's head a link that sorts by it. */
export function IncidentTable(props: {
  incidents: readonly Incident[];
  /** Why nobody was told of some. */
  held?: ReadonlyMap<number, HeldReason>;
  /** Of whom the share is drawn: reporting machines; null where it is not known. */
  reporting: number | null;
  clock: Clock;
  /** With its number, and what is over: of the list. The overview shows neither. */
  full?: boolean;
  head?: (column: IncidentColumn, title: string) => ReactNode;
}) {
  const { incidents, held, reporting, clock, full = false, head = (_, title) => title } = props;
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th className={styles.markCell}>
            <span className="vh">Kind</span>
          </th>
          {full ? (
            <th scope="col" className={styles.numberCell}>
              {head("number", "No.")}
            </th>
          ) : null}
          <th scope="col">Cause</th>
          <th scope="col" className={styles.right}>
            {head("machines", "Machines")}
          </th>
          {reporting === null ? null : (
            <th scope="col" className={styles.barCell}>
              of {formatCount(reporting)}
            </th>
          )}
          <th scope="col" className={styles.wide}>
            {head("since", "Since")}
          </th>
          <th scope="col">{head("state", "State")}</th>
        </tr>
      </thead>
      <tbody>
        {incidents.map((incident) => (
          <Row
            key={incident.number}
            incident={incident}
            held={heldText(held?.get(incident.number))}
            reporting={reporting}
            clock={clock}
            full={full}
          />
        ))}
      </tbody>
    </table>
  );
}

function Row(props: {
  incident: Incident;
  held: string | null;
  reporting: number | null;
  clock: Clock;
  full: boolean;
}) {
  const { incident, held, reporting, clock, full } = props;
  const over = incident.endedAt !== null;
  const owner = ownerChip(incident, clock) ?? stateChip(incident, clock);
  const mark = markOf(incident);
  const machines = over ? incident.peak : incident.failing;
  return (
    <tr data-over={over}>
      <td className={styles.markCell}>
        <StatusMark status={mark} size={13} />
        <span className="vh">{over ? "over" : incident.kind === "silent" ? "fell silent" : "failing"}</span>
      </td>
      {full ? (
        <td className={styles.numberCell}>
          <Link className="mono" href={incidentHref(incident.number)} prefetch={false}>
            {incident.number}
          </Link>
        </td>
      ) : null}
      <td>
        <Link href={incidentHref(incident.number)} prefetch={false} className={styles.title}>
          <bdi>{safeText(incident.title)}</bdi>
        </Link>
        {incident.simulated ? (
          <>
            {" "}
            <Chip>simulated</Chip>
          </>
        ) : null}
        <span className={styles.under}>
          <bdi>
            {[
              incident.pattern ?? "no known pattern",
              over ? `lasted ${ageText(incident, clock.now)}` : null,
              over ? null : held,
              !over && incident.urgency === "low" ? "urgency low" : null,
              incident.state === "flapping" ? "comes and goes" : null,
              incident.silent > 0 && incident.kind === "failing" && !over
                ? `${formatCount(incident.silent)} more fell silent`
                : null,
              incident.sites.length === 0 ? null : sitesText(incident.sites),
            ]
              .filter((part) => part !== null)
              .join(" · ")}
          </bdi>
        </span>
        <span className={styles.narrowState}>
          <Chip tone={owner.tone}>
            <bdi>{owner.text}</bdi>
          </Chip>
        </span>
      </td>
      <td className={styles.right}>
        <b className="figure">{machines === null ? <span className="dim">–</span> : formatCount(machines)}</b>
        {over && machines !== null ? <span className={styles.under}>at most</span> : null}
      </td>
      {reporting === null ? null : (
        <td className={styles.barCell}>
          <span className={styles.bar} data-kind={incident.kind}>
            <i style={{ width: `${Math.min(100, (100 * incident.failing) / Math.max(1, reporting))}%` }} />
          </span>
        </td>
      )}
      <td className={`${styles.wide} nowrap dim`}>
        <time dateTime={incident.since} title={incident.since}>
          {formatTime(Date.parse(incident.since), clock)}
        </time>
      </td>
      <td className={styles.stateCell}>
        <Chip tone={owner.tone}>
          <bdi>{owner.text}</bdi>
        </Chip>
      </td>
    </tr>
  );
}
