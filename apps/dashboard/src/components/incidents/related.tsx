import type { RelatedIncident } from "@lynceus/db/incident-page";
import { formatTime, safeText } from "@lynceus/protocol/present";
import type { Incident } from "@lynceus/protocol/read-api-incidents";
import Link from "next/link";
import styles from "./incidents.module.css";
import { type Clock, incidentHref } from "./words.ts";

/** Where it came from and where it went: splits and merges, with when. */
export function Related(props: { incident: Incident; related: readonly RelatedIncident[]; clock: Clock }) {
  const { incident, related, clock } = props;
  const into = incident.ended?.into ?? null;
  if (incident.splitFrom === null && into === null && related.length === 0) return null;
  return (
    <ul className={styles.related} aria-label="Splits and merges">
      {incident.splitFrom === null ? null : (
        <li>
          Split off <Ref number={incident.splitFrom} /> at {formatTime(Date.parse(incident.openedAt), clock)}, since its
          machines have a cause of their own.
        </li>
      )}
      {into === null ? null : (
        <li>
          Goes on in <Ref number={into} />, which holds all of its machines.
        </li>
      )}
      {related.map(({ number, title, how, at }) => (
        <li key={`${how}-${number}`}>
          <Ref number={number} /> <bdi>{safeText(title, 120)}</bdi>{" "}
          {how === "split-off" ? "was split off" : "was merged into it"} at {formatTime(at.getTime(), clock)}.
        </li>
      ))}
    </ul>
  );
}

function Ref({ number }: { number: number }) {
  return (
    <Link className="link mono" href={incidentHref(number)} prefetch={false}>
      {number}
    </Link>
  );
}
