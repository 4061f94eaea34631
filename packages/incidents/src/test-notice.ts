import type { AlertingConfig } from "@lynceus/protocol/alerting";
import type { Notice } from "@lynceus/protocol/notice";
import type { ToldReason } from "./reasons.ts";

/** By which somebody tries a receiver: sent as every other notice is, and about no incident. */
export function testNotice(
  receiver: AlertingConfig["receivers"][number],
  by: { readonly actor: string; readonly now: number },
) {
  const key = `test-${receiver.id}-${by.now}`;
  const body: Notice = {
    kind: "test",
    key,
    thread: key,
    at: new Date(by.now).toISOString(),
    headline: `Test of ${receiver.name}`.slice(0, 110),
    reason: `${by.actor} tries the receiver`.slice(0, 300),
    incident: null,
    incidents: [],
    change: null,
    acknowledgeUrl: null,
  };
  return {
    key,
    incident: null,
    receiver: receiver.id,
    person: null,
    kind: "test" as const,
    reason: "tried" satisfies ToldReason,
    urgency: "low" as const,
    thread: key,
    body,
  };
}
