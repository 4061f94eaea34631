import { currentAlerting } from "@lynceus/db/alerting";
import type { Database } from "@lynceus/db/client";
import { sendHeartbeat } from "@lynceus/notify/heartbeat";
import type { DeliveryContext } from "@lynceus/notify/http";
import type { KeyRing } from "@lynceus/notify/key-ring";
import { heartbeatSecrets } from "@lynceus/protocol/alerting";
import type { Logger } from "pino";
import { secretsOf } from "./deliver.ts";

const everyMs = 60_000;

/**
 * The dead man's switch: after a good turn, at most once a minute, the address that the configuration's secret names is
 * asked. Whoever watches that it comes notices when it does not: a dead collector cannot say so itself.
 */
export function createHeartbeat(options: {
  readonly db: Database;
  readonly keys: KeyRing;
  readonly now: () => number;
  readonly log: Logger;
  readonly reach?: DeliveryContext["reach"];
}) {
  let at = Number.NEGATIVE_INFINITY;
  return {
    async beat(): Promise<void> {
      const now = options.now();
      if (now - at < everyMs) return;
      at = now;
      const { config } = await currentAlerting(options.db);
      const { heartbeat } = config.settings;
      if (heartbeat === null) return;
      const { url } = await secretsOf(options.db, options.keys, heartbeatSecrets);
      if (url === undefined) return;
      const { reach } = options;
      const outcome = await sendHeartbeat(url, heartbeat.connection, { now, ...(reach && { reach }) });
      if (outcome.outcome !== "delivered") options.log.warn({ reason: outcome.reason }, "the heartbeat was not heard");
    },
  };
}
