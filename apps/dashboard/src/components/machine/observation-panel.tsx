import type { StoredObservation } from "@lynceus/db/observations";
import { formatTime, safeText } from "@lynceus/protocol/present";
import { zoneName } from "../../lib/zone.ts";
import { Panel } from "../layout/panel.tsx";
import styles from "./machine.module.css";

/** Facts as a machine sent them, and which observation they are of; null where only the state holds them. */
export function ObservationPanel(props: {
  facts: unknown;
  observation: StoredObservation | null;
  now: number;
  zone: string;
}) {
  const { facts, observation, now, zone } = props;
  const time = (iso: string) => `${formatTime(Date.parse(iso), { now, zone })} ${zoneName(zone, now)}`;
  return (
    <Panel
      title={<bdi>{safeText(observation?.key ?? "Last facts")}</bdi>}
      sub={
        observation
          ? `observed ${time(observation.observedAt)}, received ${time(observation.receivedAt)}${observation.replayed ? ", replayed" : ""}${observation.verdict ? ` · ${observation.verdict}` : ""}`
          : "confirmed unchanged; shown as first observed"
      }
    >
      <pre className={styles.raw}>
        <bdi>
          {JSON.stringify(facts, null, 2)
            .split("\n")
            .map((line) => safeText(line, 4096))
            .join("\n")}
        </bdi>
      </pre>
    </Panel>
  );
}
