import type { Notice } from "@lynceus/protocol/notice";
import { secretIssues } from "@lynceus/protocol/receiver-secrets";
import { carriesKind, type Receiver } from "@lynceus/protocol/receivers";
import { sendAlertmanager } from "./alertmanager.ts";
import { sendEmail } from "./email.ts";
import type { DeliveryContext } from "./http.ts";
import { sendNtfy } from "./ntfy.ts";
import { type Outcome, rejected } from "./outcome.ts";
import { sendPagerDuty } from "./pagerduty.ts";
import { derivedSecrets, withoutSecrets } from "./redact.ts";
import { sendSlack } from "./slack.ts";
import { sendTeams } from "./teams.ts";
import { sendWebhook } from "./webhook.ts";

export interface Delivery {
  readonly notice: Notice;
  readonly receiver: Receiver;
  /** By name, as `receiverSecrets` has them for this type. */
  readonly secrets: Readonly<Record<string, string>>;
  /** A person's own mail address, instead of those of an e-mail receiver. */
  readonly to?: readonly string[];
}

function send({ notice, receiver, secrets, to }: Delivery, context: DeliveryContext): Promise<Outcome> {
  const { zone } = receiver;
  switch (receiver.type) {
    case "pagerduty":
      return sendPagerDuty(notice, receiver.settings, secrets, zone, context);
    case "alertmanager":
      return sendAlertmanager(notice, receiver.settings, secrets, zone, context);
    case "webhook":
      return sendWebhook(notice, receiver.settings, secrets, context);
    case "email":
      return sendEmail(notice, receiver.settings, secrets, zone, { ...context, ...(to ? { to } : {}) });
    case "slack":
      return sendSlack(notice, receiver.settings, secrets, zone, context);
    case "teams":
      return sendTeams(notice, receiver.settings, secrets, zone, context);
    case "ntfy":
      return sendNtfy(notice, receiver.settings, secrets, zone, context);
  }
}

/**
 * One try to deliver one notice to one receiver: the only way out of this package. It never rejects; when to try again, and
 * when to give up, is the collector's. No secret is in the outcome, whatever the other side answered.
 *
 * Notices of one thread must be delivered to a receiver in their order, and an earlier one dropped when a later one was
 * delivered: an `opened` that arrives after its `resolved` would open the incident again at PagerDuty and Alertmanager.
 */
export async function deliver(delivery: Delivery, context: DeliveryContext): Promise<Outcome> {
  const { notice, receiver, secrets } = delivery;
  if (!carriesKind(receiver.type, notice.kind))
    return rejected(`a receiver of type ${receiver.type} has no form for a notice of kind ${notice.kind}`);
  const [issue] = secretIssues(receiver, secrets);
  if (issue) return rejected(`${receiver.name}: ${issue.message}`);
  return withoutSecrets(await send(delivery, context), [
    ...Object.values(secrets),
    ...derivedSecrets(receiver, secrets),
  ]);
}
