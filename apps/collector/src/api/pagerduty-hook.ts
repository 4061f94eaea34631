import { currentAlerting } from "@lynceus/db/alerting";
import type { Database } from "@lynceus/db/client";
import { acknowledgeIncident, IncidentActError, noteIncident, releaseIncident } from "@lynceus/db/incident-acts";
import { wholeFleet } from "@lynceus/db/scope";
import type { KeyRing } from "@lynceus/notify/key-ring";
import { maxWebhookBytes, parsePagerDutyEvent, verifyPagerDutySignature } from "@lynceus/notify/pagerduty-webhook";
import { SealedSecretError } from "@lynceus/notify/sealed-secret";
import { apiErrorSchema } from "@lynceus/protocol/read-api";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import * as z from "zod";
import { secretsOf } from "../incidents/deliver.ts";
import { ApiProblem } from "./errors.ts";

export interface HookOptions {
  readonly db: Database;
  readonly now: () => number;
  readonly keys: KeyRing;
  /** What threads of this installation begin with. */
  readonly installation: string;
}

/** Receivers whose subscription secret signed a body. */
async function signers({ db, keys }: HookOptions, body: Uint8Array, signature: string | undefined): Promise<string[]> {
  const { config } = await currentAlerting(db);
  const found: string[] = [];
  for (const { id, type } of config.receivers) {
    if (type !== "pagerduty") continue;
    try {
      const { webhookSecret } = await secretsOf(db, keys, id);
      if (webhookSecret !== undefined && verifyPagerDutySignature(body, signature, [webhookSecret])) found.push(id);
    } catch (error) {
      if (!(error instanceof SealedSecretError)) throw error;
    }
  }
  return found;
}

/**
 * `POST /hooks/pagerduty`: who acknowledges in PagerDuty has it here too. Nothing of a body is believed before its
 * signature holds; what concerns none of our open incidents is answered like everything else, so that PagerDuty does not
 * try it again.
 */
export const pagerDutyHook = (options: HookOptions): FastifyPluginAsyncZod => {
  const { db, now, installation } = options;
  return async (app) => {
    // The signature is over the bytes as they came.
    app.removeContentTypeParser("application/json");
    app.addContentTypeParser(
      "application/json",
      { parseAs: "buffer", bodyLimit: maxWebhookBytes },
      (_request, body, done) => done(null, body),
    );
    app.post(
      "/hooks/pagerduty",
      {
        config: { open: "PagerDuty signs what it sends" },
        bodyLimit: maxWebhookBytes,
        schema: {
          summary: "Webhook of PagerDuty (V3): acknowledgements there count here",
          tags: ["alerting"],
          response: { 200: z.object({ done: z.string() }), "4xx": apiErrorSchema, "5xx": apiErrorSchema },
        },
      },
      async (request) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const header = request.headers["x-pagerduty-signature"];
        const [receiver] = await signers(options, body, Array.isArray(header) ? header.join(",") : header);
        if (receiver === undefined)
          throw new ApiProblem(
            401,
            "unauthorized",
            "the body is not signed with the webhook secret of a PagerDuty receiver",
          );
        const event = parsePagerDutyEvent(body);
        if (!event || event.kind === "other") return { done: "nothing" };
        const number = new RegExp(`^lynceus-${installation}-(\\d{1,9})$`).exec(event.thread)?.[1];
        if (number === undefined) return { done: "nothing" };
        const by = { actor: `${event.by ?? "somebody"} (PagerDuty)`, now: new Date(now()) };
        const fleet = wholeFleet(db);
        const of = Number(number);
        try {
          if (event.kind === "acknowledged") await acknowledgeIncident(fleet, of, { ...by, via: receiver });
          else if (event.kind === "unacknowledged") await releaseIncident(fleet, of, by);
          // Resolved by a person there: somebody has it. That its machines are well is not theirs to say.
          else if (event.kind === "resolved" && event.by !== null) {
            await acknowledgeIncident(fleet, of, { ...by, via: receiver });
            await noteIncident(fleet, of, { ...by, text: `Resolved in PagerDuty by ${event.by}` });
          } else return { done: "nothing" };
        } catch (error) {
          // It is over here already.
          if (error instanceof IncidentActError) return { done: "nothing" };
          throw error;
        }
        return { done: event.kind };
      },
    );
  };
};
