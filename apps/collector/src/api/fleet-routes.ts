import { getCause, listCauseMembers, listCauses, readAttributions } from "@lynceus/db/causes";
import { getFleetChange, listChangeMachines, listFleetChanges } from "@lynceus/db/fleet-changes";
import { atSites } from "@lynceus/db/series-grid";
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
import { severalSites } from "@lynceus/protocol/series";
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
          since: isoTimeSchema.optional().describe("Those that held at or after this moment"),
          until: isoTimeSchema.optional().describe("Those that were named at or before this moment"),
          site: severalSites.describe("Only as far as they concern machines of these sites"),
          simulated: yesOrNo,
          ...cursorQuery,
        }),
        response: { 200: pageSchema(causeSchema), ...errors },
      },
    },
    ({ query: { open, since, until, simulated, cursor, limit, site }, fleet }) =>
      listCauses(atSites(fleet, site), {
        ...(open !== undefined && { open }),
        ...(since && { since: new Date(since) }),
        ...(until && { until: new Date(until) }),
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
          since: isoTimeSchema.optional().describe("Those that a machine took at or after this moment"),
          until: isoTimeSchema.optional().describe("Those that the last machine took at or before this moment"),
          begunBy: isoTimeSchema.optional().describe("Those that the first machine took at or before this moment"),
          kind: changeKindSchema.optional(),
          minMachines: z.coerce.number().int().min(1).max(1_000_000).optional(),
          site: severalSites.describe("Only as far as machines of these sites took them"),
          simulated: yesOrNo,
          ...cursorQuery,
        }),
        response: { 200: pageSchema(fleetChangeSchema), ...errors },
      },
    },
    ({ query: { since, until, begunBy, kind, minMachines, simulated, cursor, limit, site }, fleet }) =>
      listFleetChanges(atSites(fleet, site), {
        ...(since && { since: new Date(since) }),
        ...(until && { until: new Date(until) }),
        ...(begunBy && { begunBy: new Date(begunBy) }),
        ...(kind && { kinds: [kind] }),
        ...(minMachines !== undefined && { minMachines }),
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
