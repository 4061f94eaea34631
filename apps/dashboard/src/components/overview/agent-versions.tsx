import { formatCount, formatShare, middleCut, safeText } from "@lynceus/protocol/present";
import Link from "next/link";
import { Panel } from "../layout/panel.tsx";
import { machinesHref } from "../machines/links.ts";
import { Chip } from "../status/chip.tsx";
import styles from "./overview.module.css";
import type { Versions } from "./versions.ts";

/** Which agents run where; each number opens the machines it counts. `inSite`: filter term of the one site on screen. */
export function AgentVersions({
  versions,
  inSite = null,
  linked = true,
}: {
  versions: Versions;
  inSite?: string | null;
  /** False on a page of the past: which machines these were is not kept. */
  linked?: boolean;
}) {
  const { rows, newest, machines } = versions;
  const old = rows.some((row) => row.old);
  return (
    <Panel
      title="Agent versions"
      sub="all machines, also those signed off"
      more={
        linked ? (
          <Link href={`${machinesHref(inSite)}${inSite === null ? "?" : "&"}group=agent`} prefetch={false}>
            By version →
          </Link>
        ) : undefined
      }
    >
      <table className={styles.versions}>
        <thead className="vh">
          <tr>
            <th scope="col">Version</th>
            <th scope="col">Share</th>
            <th scope="col">Machines</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.query}>
              <th scope="row">
                <bdi className="mono" title={safeText(row.title)}>
                  {middleCut(safeText(row.title), 24)}
                </bdi>
                {row.old ? <Chip>older</Chip> : null}
              </th>
              <td>
                <span className={styles.versionBar} role="img" aria-label={formatShare(row.machines, machines)}>
                  <i style={{ width: `${(100 * row.machines) / Math.max(1, machines)}%` }} />
                </span>
              </td>
              <td className={styles.versionCount}>
                {linked ? (
                  <Link href={machinesHref(row.query, inSite)} prefetch={false}>
                    {formatCount(row.machines)}
                  </Link>
                ) : (
                  formatCount(row.machines)
                )}
                <span className="dim">{formatShare(row.machines, machines)}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {old ? (
        <p className={styles.small}>
          Older than <span className="mono">{safeText(newest)}</span>: the agent does not update itself; your deployment
          tool brings the new one.
        </p>
      ) : null}
    </Panel>
  );
}
