import { readCountSeries } from "@lynceus/db/count-series";
import { valueCounts } from "@lynceus/db/machines";
import { supportedFields } from "@lynceus/db/machines-filter";
import type { Fleet } from "@lynceus/db/scope";
import { readTargetSeries } from "@lynceus/db/target-series";
import { seriesLimits } from "@lynceus/protocol/counts";
import { type FilterField, type FilterFieldInfo, filterFields } from "@lynceus/protocol/filter";
import type { Policy } from "@lynceus/protocol/policy";
import { apiErrorSchema, isoTimeSchema } from "@lynceus/protocol/read-api";
import {
  countHistoryQuerySchema,
  type FieldValue,
  fieldValueSchema,
  seriesAnswerSchema,
  targetHistoryQuerySchema,
  targetRefSchema,
} from "@lynceus/protocol/series";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import * as z from "zod";
import { memo } from "../memo.ts";
import { ApiProblem } from "./errors.ts";
import { iso, termsOf } from "./schemas.ts";

const read = { right: "read" } as const;
const errors = { "4xx": apiErrorSchema, "5xx": apiErrorSchema };
const security = [{ bearer: [] }];

/** How old a list of values may be. */
const valuesAgeMs = 30_000;

export interface SeriesRoutesOptions {
  readonly now: () => number;
  readonly policy: () => Policy;
}

/** Figures over time and what they can be asked for, under `/api/v1`. */
export const seriesRoutes = ({ now, policy }: SeriesRoutesOptions): FastifyPluginAsyncZod => {
  const values = memo<FieldValue[]>({ maxAgeMs: valuesAgeMs, most: 200, now });

  async function valuesOf(fleet: Fleet, field: FilterField, q: string | undefined, contains: string | undefined) {
    const info: FilterFieldInfo = filterFields[field];
    const counted = await valueCounts(fleet, field, {
      terms: termsOf(q, now()),
      limit: seriesLimits.values,
      ...(contains ? { contains } : {}),
    });
    const listed: FieldValue[] = counted.map(({ value, machines }) => ({
      value: value ?? (info.none ? "none" : "unknown"),
      machines,
    }));
    const have = new Set(listed.map((entry) => entry.value));
    const rest = (info.values ?? []).filter((value) => !have.has(value) && value.includes(contains ?? ""));
    return [...listed, ...rest.map((value) => ({ value, machines: null }))];
  }

  return async (app) => {
    app.get(
      "/counts/history",
      {
        config: read,
        schema: {
          summary: "How many machines were in a state over time, by site, pattern or proxy",
          tags: ["series"],
          security,
          querystring: countHistoryQuerySchema,
          response: { 200: seriesAnswerSchema, ...errors },
        },
      },
      ({ query, fleet }) => readCountSeries(fleet, query, new Date(now())),
    );

    app.get(
      "/targets",
      {
        config: read,
        schema: {
          summary: "Targets of the policy in force",
          tags: ["series"],
          security,
          response: { 200: z.object({ items: z.array(targetRefSchema) }), ...errors },
        },
      },
      async () => {
        const { targets, groups } = policy();
        const required = new Set(groups.filter((group) => group.required).flatMap((group) => group.anyOf));
        return {
          items: targets.map(({ id, service, host, port, locations }) => ({
            id,
            service,
            host,
            port,
            required: required.has(id),
            locations,
          })),
        };
      },
    );

    app.get(
      "/targets/history",
      {
        config: read,
        schema: {
          summary: "How available targets were over time, and how fast they answered",
          tags: ["series"],
          security,
          querystring: targetHistoryQuerySchema,
          response: { 200: seriesAnswerSchema, ...errors },
        },
      },
      async ({ query, fleet }) => {
        const targets = policy().targets.map((target) => target.id);
        const unknown = query.target?.find((id) => !targets.includes(id));
        if (unknown !== undefined)
          throw new ApiProblem(
            400,
            "bad-series",
            `target "${unknown}" is not in the policy in force; use one of ${targets.join(", ") || "none yet"}`,
          );
        return readTargetSeries(fleet, query, { now: new Date(now()), targets });
      },
    );

    app.get(
      "/values",
      {
        config: read,
        schema: {
          summary: "Values that a field of the filter has, those of most machines first; up to 30 s old",
          tags: ["series"],
          security,
          querystring: z.object({
            field: z
              .string()
              .max(32)
              .describe(`One of ${supportedFields.join(", ")}`),
            q: z.string().max(2048).optional().describe("Only of machines that match this filter"),
            contains: z.string().max(200).optional().describe("Only values with this text in them"),
          }),
          response: { 200: z.object({ asOf: isoTimeSchema, items: z.array(fieldValueSchema) }), ...errors },
        },
      },
      async ({ query: { field, q, contains }, fleet }) => {
        if (!supportedFields.includes(field as FilterField))
          throw new ApiProblem(
            400,
            "bad-field",
            `field "${field}" has no list of values; use one of ${supportedFields.join(", ")}, e.g. site`,
          );
        const key = JSON.stringify([fleet.scope, field, q ?? "", contains ?? ""]);
        return {
          asOf: iso(new Date(now())),
          items: await values(key, () => valuesOf(fleet, field as FilterField, q, contains)),
        };
      },
    );
  };
};
