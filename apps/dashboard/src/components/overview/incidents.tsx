import type { HeldReason } from "@lynceus/incidents/reasons";
import { formatCount } from "@lynceus/protocol/present";
import type { Incident } from "@lynceus/protocol/read-api-incidents";
import Link from "next/link";
import { IncidentTable } from "../incidents/incident-table.tsx";
import { Panel } from "../layout/panel.tsx";
import { machinesHref, term } from "../machines/links.ts";
import styles from "./overview.module.css";
import { lowerFirst } from "./sentence.ts";
import { shortTitle } from "./short-titles.ts";

export interface AtRiskPattern {
  pattern: string;
  machines: number;
}

const most = 8;

/** One cause, one incident, with who has it; and the failing machines that are in none. */
export function OpenIncidents(props: {
  /** The largest first. */
  incidents: readonly Incident[];
  held: ReadonlyMap<number, HeldReason>;
  /** Failing machines in no incident, and the filter that lists them. */
  loose: number;
  looseQuery: string;
  reporting: number;
  atRisk: readonly AtRiskPattern[];
  /** Filter term of the site that the page is narrowed to. */
  inSite: string | null;
  /** No route names anybody: whoever does not look here does not hear of them. */
  nobodyTold: boolean;
  now: number;
  zone: string;
}) {
  const { incidents, held, loose, looseQuery, reporting, atRisk, inSite, nobodyTold, now, zone } = props;
  const risky = atRisk.reduce((total, entry) => total + entry.machines, 0);
  const more = incidents.length - most;
  return (
    <Panel
      title="Open incidents by cause"
      sub="one cause, one incident"
      more={<Link href="/incidents">All incidents →</Link>}
    >
      {incidents.length === 0 ? (
        <p className={styles.small}>No incident is open.</p>
      ) : (
        <IncidentTable incidents={incidents.slice(0, most)} held={held} reporting={reporting} clock={{ now, zone }} />
      )}
      {more > 0 ? (
        <p className={`${styles.small} ${styles.rule}`}>
          <Link className="link" href="/incidents">
            {formatCount(more)} more {more === 1 ? "incident" : "incidents"}
          </Link>
          , each with fewer machines.
        </p>
      ) : null}
      {loose > 0 || risky > 0 ? (
        <p className={`${styles.small} ${styles.rule}`}>
          {loose > 0 ? (
            <>
              <Link className="link" href={machinesHref(looseQuery, inSite)} prefetch={false}>
                {formatCount(loose)} failing {loose === 1 ? "machine belongs" : "machines belong"} to no incident
              </Link>
              .{" "}
            </>
          ) : null}
          {risky > 0 ? (
            <>
              {risky === 1
                ? "1 machine works today and carries an at-risk finding: "
                : `${formatCount(risky)} machines work today and carry an at-risk finding: `}
              {atRisk.map((entry, i) => (
                <span key={entry.pattern}>
                  {i > 0 ? ", " : ""}
                  <Link
                    className="link"
                    href={machinesHref(term("status", "healthy"), term("primary", entry.pattern), inSite)}
                    prefetch={false}
                  >
                    {formatCount(entry.machines)} {lowerFirst(shortTitle(entry.pattern))}
                  </Link>
                </span>
              ))}
              .
            </>
          ) : null}
        </p>
      ) : null}
      {nobodyTold ? (
        <p className={`${styles.small} ${styles.rule}`}>
          Nobody is told of incidents yet: no route names anybody.{" "}
          <Link className="link" href="/alerting">
            Alerting
          </Link>
        </p>
      ) : null}
    </Panel>
  );
}
