import { apiErrorSchema } from "@lynceus/protocol/read-api";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import * as z from "zod";
import { type EventStream, TooManyWatchersError } from "../event-stream.ts";
import { ApiProblem } from "./errors.ts";

const entryId = z.string().regex(/^\d{1,18}$/, "the id of an event, a whole number such as 4711");
const yesOrNo = z.enum(["true", "false"]).transform((value) => value === "true");

/** Server-sent events under `/api/v1`. */
export const eventRoutes = (events: EventStream): FastifyPluginAsyncZod => {
  return async (app) => {
    app.get(
      "/events",
      {
        config: { right: "read" },
        schema: {
          summary: "What becomes of incidents, as it happens (server-sent events)",
          description:
            "`event: incident` has `{event, incident}`: an entry of an incident's timeline, under its id, and the incident as it is. " +
            "A client that comes back with `Last-Event-ID` hears what it missed, or `event: reset` when that is too much. " +
            "`event: changed` says, at most once an interval, that something else of the fleet changed.",
          tags: ["events"],
          querystring: z.strictObject({
            after: entryId.optional().describe("Begin after this event, as Last-Event-ID does"),
            changes: yesOrNo.default(true).describe("Also hear that something else changed"),
            follow: yesOrNo.default(true).describe("false: what came after `after`, and the answer ends"),
          }),
          response: {
            200: {
              description: "A stream of events",
              content: { "text/event-stream": { schema: z.string() } },
            },
            "4xx": apiErrorSchema,
            "5xx": apiErrorSchema,
          },
        },
      },
      async (request, reply) => {
        const { query, caller } = request;
        if (!caller) throw new Error("a route with a right has a caller");
        const last = request.headers["last-event-id"];
        const known = entryId.safeParse(last);
        const after = known.success ? known.data : query.after;
        // Fastify answers no more: the stream does. What is refused before it begins is refused as ever.
        const { raw } = reply;
        try {
          await events.watch({
            response: raw,
            tokenId: caller.token.id,
            access: caller.access,
            after: after === undefined ? null : BigInt(after),
            changes: query.changes,
            follow: query.follow,
          });
        } catch (error) {
          if (error instanceof TooManyWatchersError) throw new ApiProblem(429, "too-many-watchers", error.message);
          if (!raw.headersSent) throw error;
          request.log.warn({ err: error }, "events could not be sent");
        }
        reply.hijack();
      },
    );
  };
};
