import { cancelCanary, createCanary, getCanary, listCanaries, listCanaryMachines } from "@lynceus/db/canaries";
import { getMachine } from "@lynceus/db/machines";
import { createReport, deleteReport, listReports, patternAccuracy } from "@lynceus/db/reports";
import {
  cancelVerification,
  createVerification,
  getVerification,
  listVerificationMachines,
  listVerifications,
} from "@lynceus/db/verifications";
import { ticketText } from "@lynceus/diagnosis/ticket";
import { patternIdSchema } from "@lynceus/protocol/names";
import { apiErrorSchema, pageSchema } from "@lynceus/protocol/read-api";
import {
  accuracySchema,
  canaryEffectSchema,
  canaryMachineSchema,
  canarySchema,
  machineReportSchema,
  maxScriptChars,
  newCanarySchema,
  newReportSchema,
  newVerificationSchema,
  ticketSchema,
  verificationMachineSchema,
  verificationMachineStateSchema,
  verificationSchema,
} from "@lynceus/protocol/read-api-tools";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import * as z from "zod";
import { actorOf } from "./auth.ts";
import { notFound } from "./errors.ts";
import type { ApiOptions } from "./routes.ts";
import { cursorQuery, idParams, termsOf } from "./schemas.ts";

const read = { right: "read" } as const;
const operate = { right: "operate" } as const;
const errors = { "4xx": apiErrorSchema, "5xx": apiErrorSchema };
const bearer = [{ bearer: [] }];
const limit = { limit: z.coerce.number().int().min(1).max(100).default(20) };

const dayMs = 86_400_000;

/** Canaries, verifications of a fix, helpdesk reports and ticket texts, under `/api/v1`. */
export const toolsRoutes = ({ now }: ApiOptions): FastifyPluginAsyncZod => {
  const by = (request: Parameters<typeof actorOf>[0]) => ({ actor: actorOf(request), now: new Date(now()) });
  return async (app) => {
    app.post(
      "/canaries",
      {
        config: operate,
        // A script beside the rest; JSON may write a character as six.
        bodyLimit: 6 * maxScriptChars + 128 * 1024,
        schema: {
          summary: "Judge proposed proxy settings for the fleet before they are rolled out",
          tags: ["canaries"],
          security: bearer,
          body: newCanarySchema,
          response: { 202: canarySchema, ...errors },
        },
      },
      async (request, reply) => {
        termsOf(request.body.q, now());
        return reply.status(202).send(await createCanary(request.fleet, request.body, by(request)));
      },
    );

    app.get(
      "/canaries",
      {
        config: read,
        schema: {
          summary: "Canaries, newest first",
          tags: ["canaries"],
          security: bearer,
          querystring: z.object(limit),
          response: { 200: z.object({ items: z.array(canarySchema) }), ...errors },
        },
      },
      async ({ query, fleet }) => ({ items: await listCanaries(fleet, query) }),
    );

    app.get(
      "/canaries/:id",
      {
        config: read,
        schema: {
          summary: "A canary: how far it is, and how many machines it would move, break or repair",
          tags: ["canaries"],
          security: bearer,
          params: idParams,
          response: { 200: canarySchema, ...errors },
        },
      },
      async ({ params, fleet }) => {
        const canary = await getCanary(fleet, params.id);
        if (!canary) throw notFound("canary", params.id);
        return canary;
      },
    );

    app.get(
      "/canaries/:id/machines",
      {
        config: read,
        schema: {
          summary: "Machines of a canary, those that would break first",
          tags: ["canaries"],
          security: bearer,
          params: idParams,
          querystring: z.object({
            effect: canaryEffectSchema.optional(),
            probed: z.enum(["true"]).optional().describe("true: only machines that were asked to probe"),
            ...cursorQuery,
          }),
          response: { 200: pageSchema(canaryMachineSchema), ...errors },
        },
      },
      ({ params, query, fleet }) =>
        listCanaryMachines(fleet, params.id, {
          ...(query.effect === undefined ? {} : { effect: query.effect }),
          ...(query.probed === undefined ? {} : { probed: true }),
          cursor: query.cursor ?? null,
          limit: query.limit,
        }),
    );

    app.post(
      "/canaries/:id/cancel",
      {
        config: operate,
        schema: {
          summary: "End a canary early",
          tags: ["canaries"],
          security: bearer,
          params: idParams,
          response: { 204: z.null(), ...errors },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        if (!(await cancelCanary(request.fleet, id, by(request)))) throw notFound("canary under way", id);
        return reply.status(204).send(null);
      },
    );

    app.post(
      "/verifications",
      {
        config: operate,
        schema: {
          summary: "Probe a cohort again, at the rate that Exchange may see, to verify a fix",
          tags: ["verifications"],
          security: bearer,
          body: newVerificationSchema,
          response: { 202: verificationSchema, ...errors },
        },
      },
      async (request, reply) => {
        const terms = termsOf(request.body.q, now());
        return reply.status(202).send(await createVerification(request.fleet, request.body, terms, by(request)));
      },
    );

    app.get(
      "/verifications",
      {
        config: read,
        schema: {
          summary: "Verifications, newest first",
          tags: ["verifications"],
          security: bearer,
          querystring: z.object({
            pattern: patternIdSchema.optional(),
            cause: z.string().max(256).optional(),
            causeId: z.uuid().optional(),
            ...limit,
          }),
          response: { 200: z.object({ items: z.array(verificationSchema) }), ...errors },
        },
      },
      async ({ query: { pattern, cause, causeId, limit }, fleet }) => ({
        items: await listVerifications(fleet, {
          ...(pattern === undefined ? {} : { pattern }),
          ...(cause === undefined ? {} : { cause }),
          ...(causeId === undefined ? {} : { causeId }),
          limit,
        }),
      }),
    );

    app.get(
      "/verifications/:id",
      {
        config: read,
        schema: {
          summary: "A verification: how many machines are fixed, and how many are left",
          tags: ["verifications"],
          security: bearer,
          params: idParams,
          response: { 200: verificationSchema, ...errors },
        },
      },
      async ({ params, fleet }) => {
        const verification = await getVerification(fleet, params.id);
        if (!verification) throw notFound("verification", params.id);
        return verification;
      },
    );

    app.get(
      "/verifications/:id/machines",
      {
        config: read,
        schema: {
          summary: "Machines of a verification, those that still fail first",
          tags: ["verifications"],
          security: bearer,
          params: idParams,
          querystring: z.object({ state: verificationMachineStateSchema.optional(), ...cursorQuery }),
          response: { 200: pageSchema(verificationMachineSchema), ...errors },
        },
      },
      ({ params, query, fleet }) =>
        listVerificationMachines(fleet, params.id, {
          ...(query.state === undefined ? {} : { state: query.state }),
          cursor: query.cursor ?? null,
          limit: query.limit,
        }),
    );

    app.post(
      "/verifications/:id/cancel",
      {
        config: operate,
        schema: {
          summary: "End a verification early: nobody more is asked",
          tags: ["verifications"],
          security: bearer,
          params: idParams,
          response: { 204: z.null(), ...errors },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        if (!(await cancelVerification(request.fleet, id, by(request)))) throw notFound("verification under way", id);
        return reply.status(204).send(null);
      },
    );

    app.post(
      "/machines/:id/reports",
      {
        config: operate,
        schema: {
          summary: "Report that a user was, or was not, prompted on a machine",
          description:
            "The user is stored as given, at most 64 characters: prefer a ticket number or a pseudonym to a name. It is kept as long as the timeline, goes with the machine, can be deleted, is never sent to an agent, and is no part of the audit.",
          tags: ["reports"],
          security: bearer,
          params: idParams,
          body: newReportSchema,
          response: { 201: machineReportSchema, ...errors },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const report = await createReport(request.fleet, id, request.body, by(request));
        if (!report) throw notFound("machine", id);
        return reply.status(201).send(report);
      },
    );

    app.get(
      "/machines/:id/reports",
      {
        // They name people.
        config: operate,
        schema: {
          summary: "Reports of a machine, newest first",
          tags: ["reports"],
          security: bearer,
          params: idParams,
          querystring: z.object(cursorQuery),
          response: { 200: pageSchema(machineReportSchema), ...errors },
        },
      },
      ({ params, query, fleet }) =>
        listReports(fleet, { machineId: params.id, cursor: query.cursor ?? null, limit: query.limit }),
    );

    app.get(
      "/reports",
      {
        config: operate,
        schema: {
          summary: "Reports of all machines, newest first",
          tags: ["reports"],
          security: bearer,
          querystring: z.object(cursorQuery),
          response: { 200: pageSchema(machineReportSchema), ...errors },
        },
      },
      ({ query, fleet }) => listReports(fleet, { cursor: query.cursor ?? null, limit: query.limit }),
    );

    app.delete(
      "/reports/:id",
      {
        config: operate,
        schema: {
          summary: "Delete a report",
          tags: ["reports"],
          security: bearer,
          params: idParams,
          response: { 204: z.null(), ...errors },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        if (!(await deleteReport(request.fleet, id, { actor: actorOf(request) }))) throw notFound("report", id);
        return reply.status(204).send(null);
      },
    );

    app.get(
      "/patterns/accuracy",
      {
        config: read,
        schema: {
          summary: "How right each pattern was by the helpdesk's reports, with counts and 95 % intervals",
          tags: ["reports"],
          security: bearer,
          querystring: z.object({ days: z.coerce.number().int().min(1).max(366).default(90) }),
          response: { 200: accuracySchema, ...errors },
        },
      },
      ({ query, fleet }) => patternAccuracy(fleet, new Date(now() - query.days * dayMs)),
    );

    app.get(
      "/machines/:id/ticket",
      {
        config: read,
        schema: {
          summary: "Verdict, evidence, counterfactual and fix of a machine for a ticket, redacted",
          tags: ["machines"],
          security: bearer,
          params: idParams,
          response: { 200: ticketSchema, ...errors },
        },
      },
      async ({ params, fleet }) => {
        const machine = await getMachine(fleet, params.id);
        if (!machine) throw notFound("machine", params.id);
        return ticketText(machine, { now: now() });
      },
    );
  };
};
