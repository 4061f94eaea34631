"use client";

import type { MachineGroup } from "@lynceus/db/machines";
import { formatCount, formatShare, safeText } from "@lynceus/protocol/present";
import Link from "next/link";
import { StatusMark } from "../status/status-mark.tsx";
import { type GroupField, groupFields } from "./group-fields.ts";
import { machinesHref, term } from "./links.ts";
import styles from "./machines.module.css";

const parts = [
  ["failing", "failing", "bad-fill"],
  ["stale", "stale", "stale-fill"],
  ["cannot-tell", "cannotTell", "unk-fill"],
  ["healthy", "healthy", "ok-fill"],
  ["signed-off", "signedOff", "ink3"],
] as const;

/** Machines by the values of one field, those with most failing machines first: each opens the list of its own. */
export function GroupTable(props: {
  field: GroupField;
  groups: readonly MachineGroup[];
  /** How many groups there are. */
  total: number;
  query: string;
  /** What the field has for machines without a value. */
  none: "none" | "unknown";
}) {
  const { field, groups, total, query, none } = props;
  const most = Math.max(1, ...groups.map((group) => group.machines));
  return (
    <div className={styles.wrap}>
      <table className={styles.groups}>
        <caption className="vh">Machines by {groupFields[field].toLowerCase()}</caption>
        <thead>
          <tr>
            <th scope="col">{groupFields[field]}</th>
            <th scope="col" className="num">
              Machines
            </th>
            <th scope="col">
              <span className="vh">To scale</span>
            </th>
            {parts.map(([status]) => (
              <th key={status} scope="col" className="num">
                {status === "cannot-tell"
                  ? "Cannot tell"
                  : status === "signed-off"
                    ? "Signed off"
                    : status[0]?.toUpperCase() + status.slice(1)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => {
            const own = group.value === null ? `${field}:${none}` : term(field, group.value);
            return (
              <tr key={group.value ?? "\u0000"}>
                <th scope="row">
                  <Link href={machinesHref(query, own)} prefetch={false}>
                    <bdi className={field === "site" || field === "tag" ? undefined : "mono"}>
                      {group.value === null ? none : safeText(group.value)}
                    </bdi>
                  </Link>
                </th>
                <td className="num">
                  <b className="figure">{formatCount(group.machines)}</b>
                </td>
                <td>
                  <span className={styles.groupBar} style={{ width: `${Math.max(1, (group.machines / most) * 100)}%` }}>
                    {parts.map(([status, key, fill]) =>
                      group.counts[key] > 0 ? (
                        <i key={status} style={{ flex: group.counts[key], background: `var(--${fill})` }} />
                      ) : null,
                    )}
                  </span>
                </td>
                {parts.map(([status, key]) => (
                  <td key={status} className="num">
                    {group.counts[key] === 0 ? (
                      <span className="dim" aria-hidden="true">
                        ·
                      </span>
                    ) : (
                      <Link
                        className={styles.groupCount}
                        href={machinesHref(query, own, term("status", status))}
                        prefetch={false}
                        title={formatShare(group.counts[key], group.machines)}
                      >
                        {status === "failing" ? <StatusMark status="failing" size={9} /> : null}
                        {formatCount(group.counts[key])}
                      </Link>
                    )}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      {groups.length < total ? (
        <p className={styles.groupsMore}>
          The {formatCount(groups.length)} of {formatCount(total)} with most failing machines.
        </p>
      ) : null}
    </div>
  );
}
