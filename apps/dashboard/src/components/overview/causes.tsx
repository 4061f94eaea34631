import type { OpenCause } from "@lynceus/db/overview";
import { formatCount, formatTime, safeText } from "@lynceus/protocol/present";
import Link from "next/link";
import { Panel } from "../layout/panel.tsx";
import { machinesHref, term } from "../machines/links.ts";
import { StatusMark } from "../status/status-mark.tsx";
import styles from "./overview.module.css";
import { lowerFirst } from "./sentence.ts";
import { shortTitle } from "./short-titles.ts";

export interface AtRiskPattern {
  pattern: string;
  machines: number;
}

/** The failing machines of one cause, exactly. */
export function causeQuery(cause: Pick<OpenCause, "pattern" | "severity" | "cause">): string {
  return [
    term("status", "failing"),
    term("primary", cause.pattern),
    term("severity", cause.severity),
    term("cause", cause.cause),
  ].join(" ");
}

/** One cause a row: its machines of all, and since when. A machine has one primary finding, so none is counted twice. */
export function Causes({
  causes,
  reporting,
  unnamed,
  atRisk,
  inSite,
  now,
  zone,
}: {
  /** Only those with failing machines, most first. */
  causes: readonly OpenCause[];
  reporting: number;
  /** Failing machines without a finding yet. */
  unnamed: number;
  atRisk: readonly AtRiskPattern[];
  /** Filter term of the site that the page is narrowed to. */
  inSite: string | null;
  now: number;
  zone: string;
}) {
  const risky = atRisk.reduce((total, entry) => total + entry.machines, 0);
  return (
    <Panel
      title="Findings by cause"
      sub="each failing machine under its primary finding"
      more={<Link href={machinesHref(term("status", "failing"), inSite)}>All failing →</Link>}
    >
      {causes.length === 0 ? (
        <p className={styles.small}>No machine is failing.</p>
      ) : (
        <table className={styles.causes}>
          <colgroup>
            <col style={{ width: 38 }} />
            <col />
            <col style={{ width: 74 }} />
            <col className={styles.wide} style={{ width: 96 }} />
            <col style={{ width: 92 }} />
          </colgroup>
          <thead>
            <tr>
              <th>
                <span className="vh">State</span>
              </th>
              <th scope="col">Cause</th>
              <th scope="col" className={styles.right}>
                Machines
              </th>
              <th scope="col" className={styles.wide}>
                of {formatCount(reporting)}
              </th>
              <th scope="col">Since</th>
            </tr>
          </thead>
          <tbody>
            {causes.map((cause) => {
              const href = machinesHref(causeQuery(cause), inSite);
              return (
                <tr key={cause.id}>
                  <td>
                    <StatusMark status="failing" size={13} />
                    <span className="vh">failing</span>
                  </td>
                  <td>
                    <Link href={href} prefetch={false}>
                      <b>
                        <bdi>{safeText(cause.cause)}</bdi>
                      </b>
                    </Link>
                    <small>
                      {cause.pattern}
                      {cause.siteNames.length > 0 ? ` · ${sitesText(cause)}` : ""}
                    </small>
                  </td>
                  <td className={styles.right}>
                    <Link href={href} prefetch={false}>
                      <b className="figure">{formatCount(cause.failing)}</b>
                    </Link>
                  </td>
                  <td className={styles.wide}>
                    <span className={styles.bar}>
                      <i style={{ width: `${(100 * cause.failing) / Math.max(1, reporting)}%` }} />
                    </span>
                  </td>
                  <td className="nowrap dim">
                    <time dateTime={cause.since} title={cause.since}>
                      {formatTime(Date.parse(cause.since), { now, zone })}
                    </time>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
      {unnamed > 0 || risky > 0 ? (
        <p className={`${styles.small} ${styles.rule}`}>
          {unnamed > 0 ? (
            <>
              <Link className="link" href={machinesHref("status:failing primary:none", inSite)} prefetch={false}>
                {formatCount(unnamed)} failing {unnamed === 1 ? "machine has" : "machines have"} no finding yet
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
    </Panel>
  );
}

function sitesText(cause: Pick<OpenCause, "siteNames" | "sites">): string {
  const named = cause.siteNames.slice(0, 3).map((site) => safeText(site));
  const rest = cause.sites - named.length;
  return named.join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
