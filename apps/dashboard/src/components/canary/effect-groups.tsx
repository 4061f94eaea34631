import type { CohortGroup } from "@lynceus/db/cohort-sites";
import { formatCount, middleCutHost, safeText } from "@lynceus/protocol/present";
import type { CanaryEffect } from "@lynceus/protocol/read-api-tools";
import causes from "../causes/causes.module.css";
import { Panel } from "../layout/panel.tsx";
import styles from "./canary.module.css";

const shown = 15;

/** Effects by site or by the proxy that is in use now, those with most that would break first. */
export function EffectGroups(props: {
  title: string;
  first: string;
  /** What a group without a name is called. */
  none: string;
  groups: readonly CohortGroup<CanaryEffect>[];
}) {
  const { title, first, none, groups } = props;
  const sorted = [...groups].sort((a, b) => (b.states.breaks ?? 0) - (a.states.breaks ?? 0) || b.machines - a.machines);
  return (
    <Panel title={title}>
      {groups.length === 0 ? (
        <p className={causes.none}>Nothing judged yet.</p>
      ) : (
        <table className={styles.groups}>
          <thead>
            <tr>
              <th scope="col">{first}</th>
              <th scope="col">Break</th>
              <th scope="col">Change route</th>
              <th scope="col">Of</th>
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, shown).map((group) => (
              <tr key={group.name ?? ""}>
                <td>
                  <bdi>{group.name === null ? none : middleCutHost(safeText(group.name), 34)}</bdi>
                </td>
                <td {...((group.states.breaks ?? 0) > 0 ? { "data-effect": "breaks" } : {})}>
                  {formatCount(group.states.breaks ?? 0)}
                </td>
                <td>{formatCount(group.machines - (group.states.same ?? 0))}</td>
                <td className="dim">{formatCount(group.machines)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {groups.length > shown ? <p className={causes.note}>and {formatCount(groups.length - shown)} more</p> : null}
    </Panel>
  );
}
