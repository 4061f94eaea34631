import type { Database } from "@lynceus/db/client";
import { type CommandRow, createCommand, getCommand } from "@lynceus/db/commands";
import { createToken, type EnrollmentTokenRow, listTokens, revokeToken } from "@lynceus/db/enrollment";
import { listFindings } from "@lynceus/db/findings";
import { countMachines, getMachine, isMachineSort, listMachines, machineSortKeys } from "@lynceus/db/machines";
import { listObservations } from "@lynceus/db/observations";
import { listTimeline } from "@lynceus/db/timeline";
import { patternIdSchema } from "@lynceus/protocol/names";
import {
  apiErrorSchema,
  countsSchema,
  isoTimeSchema,
  machineFindingSchema,
  machineRowSchema,
  machineSchema,
  pageSchema,
  timelineEntrySchema,
} from "@lynceus/protocol/read-api";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import * as z from "zod";
import { formatEnrolmentToken } from "../enrolment-token.ts";
import { actorOf } from "./auth.ts";
import { ApiProblem, notFound } from "./errors.ts";
import {
  commandSchema,
  cursorQuery,
  enrollmentTokenSchema,
  idParams,
  iso,
  isoOrNull,
  newEnrollmentTokenSchema,
  observationSchema,
  termsOf,
} from "./schemas.ts";

export interface ApiOptions {
  readonly db: Database;
  readonly now: () => number;
  /** What an enrolment token carries: the address agents use, and the pin of our authority. */
  readonly agentUrl: () => string;
  readonly pin: string | null;
}

const read = { right: "read" } as const;
const operate = { right: "operate" } as const;
const administer = { right: "administer" } as const;

/** What every route may answer beside its own. */
const errors = { "4xx": apiErrorSchema, "5xx": apiErrorSchema };
const bearer = [{ bearer: [] }];

const toCommand = (row: CommandRow) => ({ ...row, createdAt: iso(row.createdAt), updatedAt: iso(row.updatedAt) });
const toToken = (row: EnrollmentTokenRow) => ({
  ...row,
  expiresAt: iso(row.expiresAt),
  createdAt: iso(row.createdAt),
  revokedAt: isoOrNull(row.revokedAt),
});

/** The read API under `/api/v1`, and the two things that may be asked of it: a check now, and an enrolment token. */
export const apiRoutes = (options: ApiOptions): FastifyPluginAsyncZod => {
  const { now } = options;
  return async (app) => {
    app.get(
      "/machines",
      {
        config: read,
        schema: {
          summary: "Machines by filter and order, a page at a time",
          tags: ["machines"],
          security: bearer,
          querystring: z.object({
            q: z.string().max(2048).optional().describe("Filter, as in the dashboard: status:failing site:graz"),
            sort: z
              .string()
              .max(64)
              .default("name")
              .describe(`One of ${machineSortKeys.join(", ")}; a leading minus turns it round`),
            site: z.string().max(200).optional(),
            ...cursorQuery,
          }),
          response: { 200: pageSchema(machineRowSchema), ...errors },
        },
      },
      async ({ query, fleet }) => {
        const { sort } = query;
        if (!isMachineSort(sort))
          throw new ApiProblem(
            400,
            "bad-sort",
            `sort "${sort}"; use one of ${machineSortKeys.join(", ")}, e.g. -since`,
          );
        return listMachines(fleet, {
          terms: termsOf(query.q, now()),
          sort,
          cursor: query.cursor ?? null,
          limit: query.limit,
          site: query.site ?? null,
        });
      },
    );

    app.get(
      "/machines/:id",
      {
        config: read,
        schema: {
          summary: "One machine with its facts and its diagnosis",
          tags: ["machines"],
          security: bearer,
          params: idParams,
          response: { 200: machineSchema, ...errors },
        },
      },
      async ({ params, fleet }) => {
        const machine = await getMachine(fleet, params.id);
        if (!machine) throw notFound("machine", params.id);
        return machine;
      },
    );

    app.get(
      "/machines/:id/timeline",
      {
        config: read,
        schema: {
          summary: "What happened on a machine, newest first",
          tags: ["machines"],
          security: bearer,
          params: idParams,
          querystring: z.object(cursorQuery),
          response: { 200: pageSchema(timelineEntrySchema), ...errors },
        },
      },
      ({ params, query, fleet }) =>
        listTimeline(fleet, params.id, { cursor: query.cursor ?? null, limit: query.limit }),
    );

    app.get(
      "/machines/:id/observations",
      {
        config: read,
        schema: {
          summary: "Stored observations of a machine, newest first",
          tags: ["machines"],
          security: bearer,
          params: idParams,
          querystring: z.object({
            key: z.string().max(256).optional(),
            kind: z.string().max(64).optional(),
            ...cursorQuery,
          }),
          response: {
            200: z.object({ items: z.array(observationSchema), nextCursor: z.string().nullable() }),
            ...errors,
          },
        },
      },
      ({ params, query: { key, kind, cursor, limit }, fleet }) =>
        listObservations(fleet, params.id, {
          ...(key === undefined ? {} : { key }),
          ...(kind === undefined ? {} : { kind }),
          cursor: cursor ?? null,
          limit,
        }),
    );

    app.post(
      "/machines/:id/check-now",
      {
        config: operate,
        schema: {
          summary: "Ask a machine to probe now",
          tags: ["machines"],
          security: bearer,
          params: idParams,
          response: { 202: commandSchema, ...errors },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const row = await createCommand(request.fleet, {
          machineId: id,
          createdBy: actorOf(request),
          now: new Date(now()),
        });
        if (!row) throw notFound("machine", id);
        return reply.status(202).send(toCommand(row));
      },
    );

    app.get(
      "/commands/:id",
      {
        config: read,
        schema: {
          summary: "How far a command is",
          tags: ["machines"],
          security: bearer,
          params: idParams,
          response: { 200: commandSchema, ...errors },
        },
      },
      async ({ params, fleet }) => {
        const row = await getCommand(fleet, params.id);
        if (!row) throw notFound("command", params.id);
        return toCommand(row);
      },
    );

    app.get(
      "/findings",
      {
        config: read,
        schema: {
          summary: "Findings of all machines, newest first",
          tags: ["findings"],
          security: bearer,
          querystring: z.object({
            machine: z.uuid().optional(),
            pattern: patternIdSchema.optional(),
            open: z.enum(["true", "false"]).optional().describe("true: still raised; false: cleared"),
            ...cursorQuery,
          }),
          response: { 200: pageSchema(machineFindingSchema.extend({ id: z.uuid() })), ...errors },
        },
      },
      ({ query, fleet }) =>
        listFindings(fleet, {
          ...(query.machine === undefined ? {} : { machineId: query.machine }),
          ...(query.pattern === undefined ? {} : { pattern: query.pattern }),
          ...(query.open === undefined ? {} : { open: query.open === "true" }),
          cursor: query.cursor ?? null,
          limit: query.limit,
        }),
    );

    app.get(
      "/counts",
      {
        config: read,
        schema: {
          summary: "How many machines are in each state",
          tags: ["machines"],
          security: bearer,
          querystring: z.object({ q: z.string().max(2048).optional(), site: z.string().max(200).optional() }),
          response: { 200: countsSchema, ...errors },
        },
      },
      ({ query, fleet }) => countMachines(fleet, { terms: termsOf(query.q, now()), site: query.site ?? null }),
    );

    app.get(
      "/enrollment-tokens",
      {
        config: administer,
        schema: {
          summary: "Enrolment tokens, newest first, without their secrets",
          tags: ["enrolment"],
          security: bearer,
          response: { 200: z.object({ items: z.array(enrollmentTokenSchema) }), ...errors },
        },
      },
      async ({ fleet }) => ({ items: (await listTokens(fleet)).map(toToken) }),
    );

    app.post(
      "/enrollment-tokens",
      {
        config: administer,
        schema: {
          summary: "Make an enrolment token; its text is in this answer and nowhere else",
          tags: ["enrolment"],
          security: bearer,
          body: newEnrollmentTokenSchema,
          response: { 201: z.object({ id: z.uuid(), token: z.string(), expiresAt: isoTimeSchema }), ...errors },
        },
      },
      async (request, reply) => {
        const { expiresInMinutes, ...rest } = request.body;
        const expiresAt = new Date(now() + expiresInMinutes * 60_000);
        const { id, secret } = await createToken(request.fleet, { ...rest, expiresAt, createdBy: actorOf(request) });
        const token = formatEnrolmentToken({ url: options.agentUrl(), secret, pin: options.pin });
        return reply.status(201).send({ id, token, expiresAt: iso(expiresAt) });
      },
    );

    app.delete(
      "/enrollment-tokens/:id",
      {
        config: administer,
        schema: {
          summary: "Revoke an enrolment token; machines that enrolled with it stay",
          tags: ["enrolment"],
          security: bearer,
          params: idParams,
          response: { 204: z.null(), ...errors },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        if (!(await revokeToken(request.fleet, id, { actor: actorOf(request), now: new Date(now()) })))
          throw notFound("enrolment token in force", id);
        return reply.status(204).send(null);
      },
    );
  };
};
