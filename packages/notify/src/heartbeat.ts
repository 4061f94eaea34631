import type { Connection } from "@lynceus/protocol/receivers";
import { type DeliveryContext, sendHttp } from "./http.ts";
import type { Outcome } from "./outcome.ts";
import { withoutSecrets } from "./redact.ts";

/**
 * Tells a dead man's switch that the collector lives: one GET, for services such as healthchecks.io that raise the alarm
 * when it stops coming. The address is a secret. Never rejects.
 */
export async function sendHeartbeat(url: string, connection: Connection, context: DeliveryContext): Promise<Outcome> {
  return withoutSecrets(await sendHttp({ url, method: "GET" }, connection, context), [url]);
}
