import { acknowledgeIncident, closeIncident, noteIncident, releaseIncident } from "@lynceus/db/incident-acts";
import { getIncident, listIncidentEvents, listIncidentMembers, listIncidents } from "@lynceus/db/incidents";
import { createSilence, endSilence, getSilence, listSilences, previewSilence } from "@lynceus/db/silences";
import { alertFilterProblem } from "@lynceus/protocol/alert-filter";
import { patternIdSchema } from "@lynceus/protocol/names";
import { incidentStateSchema, urgencySchema } from "@lynceus/protocol/notice";
import { apiErrorSchema, isoTimeSchema, pageSchema } from "@lynceus/protocol/read-api";
import {
  incidentEventSchema,
  incidentKinds,
  incidentMemberSchema,
  incidentSchema,
  newSilenceSchema,
  silencePreviewSchema,
  silenceSchema,
} from "@lynceus/protocol/read-api-incidents";
import { severalSites } from "@lynceus/protocol/series";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import * as z from "zod";
import { actorOf } from "./auth.ts";
import { ApiProblem, notFound } from "./errors.ts";
import { cursorQuery, idParams, termsOf } from "./schemas.ts";

const read = { right: "read" } as const;
const operate = { right: "operate" } as const;
const errors = { "4xx": apiErrorSchema, "5xx": apiErrorSchema };
const security = [{ bearer: [] }];
const yesOrNo = z
  .enum(["true", "false"])
  .transform((value) => value === "true")
  .optional();
const numberParams = z.object({
  number: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1),
});

/** A filter of silences. @throws ApiProblem 400 that says what is wrong with it. */
function checkMatch(match: string): void {
  const problem = alertFilterProblem(match, "machine");
  if (problem !== null) throw new ApiProblem(400, "bad-filter", `match: ${problem}`);
}

/** Incidents, what people do with them, and silences, under `/api/v1`. */
export const incidentRoutes = ({ now }: { readonly now: () => number }): FastifyPluginAsyncZod => {
  const by = (request: Parameters<typeof actorOf>[0]) => ({ actor: actorOf(request), now: new Date(now()) });
  return async (app) => {
    app.get(
      "/incidents",
      {
        config: read,
        schema: {
          summary: "Incidents, the one that opened last first",
          tags: ["incidents"],
          security,
          querystring: z.object({
            open: yesOrNo.describe("Those that are open, or those that are over; both when absent"),
            state: incidentStateSchema.optional(),
            urgency: urgencySchema.optional(),
            kind: z.enum(incidentKinds).optional().describe("failing machines, or a site that was lost sight of"),
            pattern: patternIdSchema.optional(),
            site: severalSites.describe("With a machine of these sites, now or before"),
            q: z
              .string()
              .max(2048)
              .optional()
              .describe(
                "With a machine that fits, as in the dashboard: tag:vip route:px1; of an incident that is over, at any time",
              ),
            simulated: yesOrNo,
            since: isoTimeSchema.optional().describe("Open, or over since then"),
            until: isoTimeSchema.optional().describe("Opened at or before this moment"),
            ...cursorQuery,
          }),
          response: { 200: pageSchema(incidentSchema), ...errors },
        },
      },
      ({ query: { q, since, until, open, simulated, state, urgency, kind, pattern, site, cursor, limit }, fleet }) =>
        listIncidents(fleet, {
          ...(open !== undefined && { open }),
          ...(simulated !== undefined && { simulated }),
          ...(state && { state }),
          ...(urgency && { urgency }),
          ...(kind && { kind }),
          ...(pattern && { pattern }),
          ...(since && { since: new Date(since) }),
          ...(until && { until: new Date(until) }),
          ...(site && { sites: site }),
          terms: termsOf(q, now()),
          cursor: cursor ?? null,
          limit,
        }),
    );

    app.get(
      "/incidents/:number",
      {
        config: read,
        schema: {
          summary: "One incident",
          tags: ["incidents"],
          security,
          params: numberParams,
          response: { 200: incidentSchema, ...errors },
        },
      },
      async ({ params: { number }, fleet }) => {
        const incident = await getIncident(fleet, number);
        if (!incident) throw notFound("incident", String(number));
        return incident;
      },
    );

    app.get(
      "/incidents/:number/members",
      {
        config: read,
        schema: {
          summary: "Machines of an incident: failing, silent, verified; each by name",
          tags: ["incidents"],
          security,
          params: numberParams,
          querystring: z.object({ state: z.enum(["failing", "silent", "verified"]).optional(), ...cursorQuery }),
          response: { 200: pageSchema(incidentMemberSchema), ...errors },
        },
      },
      async ({ params: { number }, query: { state, cursor, limit }, fleet }) => {
        if (!(await getIncident(fleet, number))) throw notFound("incident", String(number));
        return listIncidentMembers(fleet, number, { ...(state && { state }), cursor: cursor ?? null, limit });
      },
    );

    app.get(
      "/incidents/:number/events",
      {
        config: read,
        schema: {
          summary: "The timeline of an incident: what became of it, who was told, why nobody was; the newest first",
          tags: ["incidents"],
          security,
          params: numberParams,
          querystring: z.object(cursorQuery),
          response: { 200: pageSchema(incidentEventSchema), ...errors },
        },
      },
      async ({ params: { number }, query: { cursor, limit }, fleet }) => {
        if (!(await getIncident(fleet, number))) throw notFound("incident", String(number));
        return listIncidentEvents(fleet, number, { cursor: cursor ?? null, limit });
      },
    );

    /** An act, and the incident after it. */
    const act = (
      name: string,
      summary: string,
      body: z.ZodType | null,
      perform: (request: {
        number: number;
        body: unknown;
        fleet: Parameters<typeof getIncident>[0] & Parameters<typeof acknowledgeIncident>[0];
        by: ReturnType<typeof by>;
      }) => Promise<boolean>,
    ) =>
      app.post(
        `/incidents/:number/${name}`,
        {
          config: operate,
          schema: {
            summary,
            tags: ["incidents"],
            security,
            params: numberParams,
            ...(body && { body }),
            response: { 200: incidentSchema, ...errors },
          },
        },
        async (request) => {
          const { number } = request.params;
          const { fleet } = request;
          if (!(await perform({ number, body: request.body, fleet, by: by(request) })))
            throw notFound("incident", String(number));
          const incident = await getIncident(fleet, number);
          if (!incident) throw notFound("incident", String(number));
          return incident;
        },
      );

    act("acknowledge", "Somebody has it: nobody is reminded, no further step is taken", null, ({ number, fleet, by }) =>
      acknowledgeIncident(fleet, number, { ...by, via: "api" }),
    );
    act("release", "Nobody has it any more: escalation begins anew", null, ({ number, fleet, by }) =>
      releaseIncident(fleet, number, by),
    );
    const closeSchema = z.strictObject({ note: z.string().max(2000).default("") });
    act(
      "close",
      "It is over for people; while machines fail, note says why, and others of its cause open it again",
      closeSchema,
      ({ number, fleet, by, body }) => closeIncident(fleet, number, { ...by, ...closeSchema.parse(body) }),
    );
    const noteSchema = z.strictObject({ text: z.string().trim().min(1).max(2000) });
    act("note", "Write something on its timeline", noteSchema, ({ number, fleet, by, body }) =>
      noteIncident(fleet, number, { ...by, ...noteSchema.parse(body) }),
    );

    app.post(
      "/incidents/:number/silence",
      {
        config: operate,
        schema: {
          summary: "Silence the machines of an incident, as long as they are in it",
          tags: ["incidents"],
          security,
          params: numberParams,
          body: newSilenceSchema.omit({ match: true }),
          response: { 201: silenceSchema, ...errors },
        },
      },
      async (request, reply) => {
        const { number } = request.params;
        if (!(await getIncident(request.fleet, number))) throw notFound("incident", String(number));
        const silence = await createSilence(
          request.fleet,
          { ...request.body, match: `incident:${number}` },
          by(request),
        );
        return reply.status(201).send(silence);
      },
    );

    app.get(
      "/silences",
      {
        config: read,
        schema: {
          summary: "Silences in force and to come, the one that ends last first",
          tags: ["silences"],
          security,
          querystring: z.object({ over: yesOrNo.describe("Also those that ended"), ...cursorQuery }),
          response: { 200: pageSchema(silenceSchema), ...errors },
        },
      },
      ({ query: { over, cursor, limit }, fleet }) =>
        listSilences(fleet, { now: new Date(now()), over: over ?? false, cursor: cursor ?? null, limit }),
    );

    app.post(
      "/silences",
      {
        config: operate,
        schema: {
          summary: "Tell nobody of the machines that match; it covers what the caller sees and nothing else",
          tags: ["silences"],
          security,
          body: newSilenceSchema,
          response: { 201: silenceSchema, ...errors },
        },
      },
      async (request, reply) => {
        checkMatch(request.body.match);
        return reply.status(201).send(await createSilence(request.fleet, request.body, by(request)));
      },
    );

    app.post(
      "/silences/preview",
      {
        config: read,
        schema: {
          summary: "What a silence would match now; nothing is stored",
          tags: ["silences"],
          security,
          body: z.strictObject({ match: z.string().max(512) }),
          response: { 200: silencePreviewSchema, ...errors },
        },
      },
      async ({ body, fleet }) => {
        checkMatch(body.match);
        return previewSilence(fleet, body.match);
      },
    );

    app.get(
      "/silences/:id",
      {
        config: read,
        schema: {
          summary: "One silence",
          tags: ["silences"],
          security,
          params: idParams,
          response: { 200: silenceSchema, ...errors },
        },
      },
      async ({ params: { id }, fleet }) => {
        const silence = await getSilence(fleet, id, new Date(now()));
        if (!silence) throw notFound("silence", id);
        return silence;
      },
    );

    app.delete(
      "/silences/:id",
      {
        config: operate,
        schema: {
          summary: "End a silence before its time",
          tags: ["silences"],
          security,
          params: idParams,
          response: { 204: z.null(), ...errors },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        if (!(await endSilence(request.fleet, id, by(request)))) throw notFound("silence in force", id);
        return reply.status(204).send(null);
      },
    );
  };
};
