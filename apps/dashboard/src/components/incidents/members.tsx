import { formatCount, formatTime, middleCut, safeText } from "@lynceus/protocol/present";
import type { IncidentMember } from "@lynceus/protocol/read-api-incidents";
import Link from "next/link";
import { MiniChain } from "../evidence-chain/mini-chain.tsx";
import { Panel } from "../layout/panel.tsx";
import { machineHref, machinesHref } from "../machines/links.ts";
import { StatusLabel } from "../status/status-label.tsx";
import type { MarkStatus } from "../status/status-mark.tsx";
import styles from "./incidents.module.css";
import { type Clock, incidentTerm } from "./words.ts";

const marks: Record<IncidentMember["state"], MarkStatus> = { failing: "failing", silent: "stale", verified: "healthy" };
const words: Record<IncidentMember["state"], string> = { failing: "Failing", silent: "Silent", verified: "Verified" };

/** An incident's machines, worst first, with where the line of sight ends on each. */
export function Members(props: {
  number: number;
  members: readonly IncidentMember[];
  total: number;
  /** Of a silent site: its members do not fail, nobody hears of them. */
  silentSite: boolean;
  next: string | null;
  clock: Clock;
}) {
  const { number, members, total, silentSite, next, clock } = props;
  return (
    <Panel
      title="Members"
      id="members"
      sub={`${formatCount(total)}, worst first`}
      more={
        <Link className="link" href={machinesHref(incidentTerm(number))} prefetch={false}>
          Open as machine list →
        </Link>
      }
    >
      {members.length === 0 ? (
        <p className={styles.none}>None of its machines is there any more.</p>
      ) : (
        <div className={styles.scroll}>
          <table className={styles.members}>
            <thead>
              <tr>
                <th scope="col">Machine</th>
                <th scope="col" className={styles.wide}>
                  Site
                </th>
                <th scope="col" className={styles.wide}>
                  Joined
                </th>
                <th scope="col">Configured</th>
                <th scope="col" className={styles.wide}>
                  Direct
                </th>
                <th scope="col" className={styles.keep}>
                  State
                </th>
              </tr>
            </thead>
            <tbody>
              {members.map((member) => (
                <tr key={member.id}>
                  <td>
                    <Link className="mono nowrap" href={machineHref(member.id)} prefetch={false}>
                      <bdi title={safeText(member.hostname)}>{middleCut(safeText(member.hostname), 22)}</bdi>
                    </Link>
                  </td>
                  <td className={styles.site}>
                    <bdi>{member.site === null ? "no site" : safeText(member.site, 60)}</bdi>
                  </td>
                  <td className={styles.site}>
                    <time className="mono" dateTime={member.joinedAt} title={member.joinedAt}>
                      {formatTime(Date.parse(member.joinedAt), clock)}
                    </time>
                  </td>
                  <td>
                    <MiniChain letters={member.chainConfigured} />
                  </td>
                  <td className={styles.site}>
                    <MiniChain letters={member.chainDirect} />
                  </td>
                  <td className={styles.keep}>
                    {silentSite && member.leftAt === null ? (
                      <StatusLabel status={member.status} />
                    ) : (
                      <StatusLabel status={marks[member.state]}>{words[member.state]}</StatusLabel>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {next === null ? null : (
        <p className={styles.more}>
          <Link className="link" href={next} scroll={false}>
            Show {formatCount(Math.min(100, total - members.length))} more
          </Link>
        </p>
      )}
    </Panel>
  );
}
