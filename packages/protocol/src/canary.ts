import * as z from "zod";
import { probeFactsSchema, proxyAddressSchema, targetIdSchema } from "./facts.ts";

/*
 * A canary on the wire: an agent probes targets of its own policy over proposed routes. The collector chooses a route,
 * never a target, a path or code; the agent's fence has the last word, and what it saw changes nothing of its state.
 */

/** A proposed way to a target of the agent's policy; `proxy` null is direct. */
export const canaryRouteSchema = z.object({
  target: targetIdSchema,
  proxy: proxyAddressSchema.nullable(),
});
export type CanaryRoute = z.infer<typeof canaryRouteSchema>;

/** What came of one route: facts as of any probe, or why nothing was sent. */
export const canaryAnswerSchema = z.looseObject({
  target: targetIdSchema,
  proxy: proxyAddressSchema.nullable(),
  refused: z.string().max(256).nullable(),
  facts: probeFactsSchema.nullable(),
});
export type CanaryAnswer = z.infer<typeof canaryAnswerSchema>;
