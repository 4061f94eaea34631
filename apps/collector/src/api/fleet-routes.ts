import { getCause, listCauseMembers, listCauses, readAttributions } from "@lynceus/db/causes";
import { getFleetChange, listChangeMachines, listFleetChanges } from "@lynceus/db/fleet-changes";
import {
  apiErrorSchema,
  attributionSchema,
  causeMemberSchema,
  causeSchema,
  changeKindSchema,
  changeMachineSchema,
  fleetChangeSchema,
  isoTimeSchema,
  pageSchema,
} from "@lynceus/protocol/read-api";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import * as z from "zod";
import { notFound } from "./errors.ts";
import { cursorQuery, idParams } from "./schemas.ts";

const read = { right: "read" } as const;
const errors = { "4xx": apiErrorSchema, "5xx": apiErrorSchema };
const security = [{ bearer: [] }];
const yesOrNo = z
  .enum(["true", "false"])
  .transform((value) => value === "true")
  .optional();

/** What failing machines share, and what changed on them, under `/api/v1`. */
export const fleetRoutes: FastifyPluginAsyncZod = async (app) => {
  app.get(
    "/attributions",
    {
      config: read,
      schema: {
        summary: "What the failing machines of each location share that the healthy ones do not",
        tags: ["causes"],
        security,
        querystring: z.object({ simulated: yesOrNo.describe("Simulated machines, or real ones; both when absent") }),
        response: { 200: z.object({ items: z.array(attributionSchema) }), ...errors },
      },
    },
    async ({ query, fleet }) => ({
      items: await readAttributions(fleet, query.simulated === undefined ? {} : { simulated: query.simulated }),
    }),
  );

  app.get(
    "/causes",
    {
      config: read,
      schema: {
        summary: "Shared causes, the one named last first",
        tags: ["causes"],
        security,
        querystring: z.object({
          open: yesOrNo.describe("Those that hold now, or those that do not any more; both when absent"),
          simulated: yesOrNo,
          ...cursorQuery,
        }),
        response: { 200: pageSchema(causeSchema), ...errors },
      },
    },
    ({ query: { open, simulated, cursor, limit }, fleet }) =>
      listCauses(fleet, {
        ...(open !== undefined && { open }),
        ...(simulated !== undefined && { simulated }),
        cursor: cursor ?? null,
        limit,
      }),
  );

  app.get(
    "/causes/:id",
    {
      config: read,
      schema: {
        summary: "One shared cause with its counter-examples and the change before it",
        tags: ["causes"],
        security,
        params: idParams,
        response: { 200: causeSchema, ...errors },
      },
    },
    async ({ params, fleet }) => {
      const cause = await getCause(fleet, params.id);
      if (!cause) throw notFound("cause", params.id);
      return cause;
    },
  );

  app.get(
    "/causes/:id/machines",
    {
      config: read,
      schema: {
        summary: "Machines that a cause explains; of a cleared one those that it explained last",
        tags: ["causes"],
        security,
        params: idParams,
        querystring: z.object(cursorQuery),
        response: { 200: pageSchema(causeMemberSchema), ...errors },
      },
    },
    ({ params, query, fleet }) =>
      listCauseMembers(fleet, params.id, { cursor: query.cursor ?? null, limit: query.limit }),
  );

  app.get(
    "/changes",
    {
      config: read,
      schema: {
        summary: "What changed on machines, the same change on many as one, the one taken last first",
        tags: ["changes"],
        security,
        querystring: z.object({
          since: isoTimeSchema.optional(),
          until: isoTimeSchema.optional(),
          kind: changeKindSchema.optional(),
          simulated: yesOrNo,
          ...cursorQuery,
        }),
        response: { 200: pageSchema(fleetChangeSchema), ...errors },
      },
    },
    ({ query: { since, until, kind, simulated, cursor, limit }, fleet }) =>
      listFleetChanges(fleet, {
        ...(since && { since: new Date(since) }),
        ...(until && { until: new Date(until) }),
        ...(kind && { kinds: [kind] }),
        ...(simulated !== undefined && { simulated }),
        cursor: cursor ?? null,
        limit,
      }),
  );

  app.get(
    "/changes/:id/machines",
    {
      config: read,
      schema: {
        summary: "Machines that took a change, in order of time",
        tags: ["changes"],
        security,
        params: idParams,
        querystring: z.object(cursorQuery),
        response: { 200: pageSchema(changeMachineSchema), ...errors },
      },
    },
    async ({ params, query, fleet }) => {
      if (!(await getFleetChange(fleet, params.id))) throw notFound("change", params.id);
      return listChangeMachines(fleet, params.id, { cursor: query.cursor ?? null, limit: query.limit });
    },
  );
};
