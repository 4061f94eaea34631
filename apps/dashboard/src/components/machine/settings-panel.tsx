import { formatTime, safeText } from "@lynceus/protocol/present";
import type { MachineFacts } from "@lynceus/protocol/state";
import { Panel } from "../layout/panel.tsx";
import styles from "./machine.module.css";
import { type SettingsGroup, settingsTable } from "./settings-view.ts";

/** Every setting that was read, where from, and the route that each target gets from it. */
export function SettingsPanel({
  facts,
  configuration,
  now,
  zone,
}: {
  facts: MachineFacts;
  configuration: string;
  now: number;
  zone: string;
}) {
  const at = facts.settings?.at ?? null;
  const groups = settingsTable(facts, configuration);
  return (
    <Panel title="All settings" sub={at === null ? "not observed" : `read ${formatTime(at, { now, zone })}`}>
      <div className={styles.settings}>
        {groups.map((group) => (
          <Group key={group.title} group={group} />
        ))}
      </div>
    </Panel>
  );
}

function Group({ group }: { group: SettingsGroup }) {
  return (
    <div>
      <h3>{group.title}</h3>
      <dl>
        {group.rows.map((row) => (
          <div key={row.label}>
            <dt>
              <bdi>{safeText(row.label)}</bdi>
            </dt>
            <dd className={row.plain ? undefined : "mono"}>
              <bdi>{safeText(row.value)}</bdi>
              {row.note ? <span> {safeText(row.note)}</span> : null}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
