import { currentAlerting, getAlerting, listAlerting, secretNames } from "@lynceus/db/alerting";
import type { Database } from "@lynceus/db/client";
import { reportingBySite } from "@lynceus/db/incident-machines";
import { activeSilences } from "@lynceus/db/incident-turns";
import { addTestNotice, getNotice, listNotices, retryNotice } from "@lynceus/db/notices";
import { shortTextOf } from "@lynceus/diagnosis/texts";
import { occurrences } from "@lynceus/incidents/maintenance";
import { onCallAt, shifts } from "@lynceus/incidents/on-call";
import { simulate } from "@lynceus/incidents/simulate";
import { siteKey } from "@lynceus/incidents/spread";
import { testNotice } from "@lynceus/incidents/test-notice";
import { alertingFromYaml, alertingToYaml, maxYamlChars } from "@lynceus/incidents/yaml";
import type { KeyRing } from "@lynceus/notify/key-ring";
import { type AlertingConfig, type AlertingProblem, parseAlerting } from "@lynceus/protocol/alerting";
import { apiErrorSchema, isoTimeSchema, pageSchema } from "@lynceus/protocol/read-api";
import {
  alertingProblemSchema,
  noticeRowSchema,
  noticeStateSchema,
  onCallSchema,
  simulationInputSchema,
  simulationSchema,
  storedAlertingSchema,
} from "@lynceus/protocol/read-api-incidents";
import { carriesKind } from "@lynceus/protocol/receivers";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import * as z from "zod";
import { configOr, saveWithSecrets } from "../incidents/save-config.ts";

import { actorOf } from "./auth.ts";
import { ApiProblem, notFound } from "./errors.ts";
import { cursorQuery, iso, isoOrNull, versionParams } from "./schemas.ts";

export interface AlertingRoutesOptions {
  readonly db: Database;
  readonly now: () => number;
  readonly keys: KeyRing;
  readonly dashboardUrl: string | null;
}

const oversee = { right: "oversee" } as const;
const configure = { right: "configure" } as const;
const errors = { "4xx": apiErrorSchema, "5xx": apiErrorSchema };
const security = [{ bearer: [] }];
const receiverParams = z.object({ id: z.string().min(1).max(63) });
const span = z.object({
  from: isoTimeSchema.optional().describe("Now, when absent"),
  to: isoTimeSchema.optional().describe("Four weeks later, when absent; at most a year"),
});
const dayMs = 24 * 3_600_000;
/** The document as a whole is described in docs/alerting.md: a webhook's template is any JSON, which OpenAPI's schemas of ours cannot say. */
const documentSchema = z.record(z.string(), z.unknown()).describe("The configuration (docs/alerting.md)");
const storedSchema = storedAlertingSchema.extend({ config: documentSchema });

/** @throws ApiProblem 400 for a span that ends before it begins, or is longer than a year. */
function spanOf({ from, to }: z.infer<typeof span>, now: number): { from: number; to: number } {
  const begins = from === undefined ? now : Date.parse(from);
  const ends = to === undefined ? begins + 28 * dayMs : Date.parse(to);
  if (ends <= begins || ends - begins > 366 * dayMs)
    throw new ApiProblem(
      400,
      "bad-span",
      `from ${iso(new Date(begins))} to ${iso(new Date(ends))}: to is after from, by a year at most`,
    );
  return { from: begins, to: ends };
}

/** @throws ApiProblem 422 with everything that is wrong, in one line each. */
function requireConfig(read: { config: AlertingConfig | null; problems: AlertingProblem[] }): AlertingConfig {
  if (read.config) return read.config;
  const lines = read.problems.slice(0, 10).map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  throw new ApiProblem(422, "bad-config", lines.join("; "));
}

/** A body as it came: JSON, or the text of a YAML file. */
const readBody = (body: unknown) => (typeof body === "string" ? alertingFromYaml(body) : parseAlerting(body));

/** Who is told of incidents: the configuration, who is on call, trying it out, and what became of notices. */
export const alertingRoutes = ({ db, now, keys, dashboardUrl }: AlertingRoutesOptions): FastifyPluginAsyncZod => {
  const by = (request: Parameters<typeof actorOf>[0]) => ({ actor: actorOf(request), now: new Date(now()) });
  return async (app) => {
    // Within these routes a body may be a YAML file.
    for (const type of ["application/yaml", "application/x-yaml", "text/yaml"])
      app.addContentTypeParser(type, { parseAs: "string", bodyLimit: 4 * maxYamlChars }, (_request, text, done) =>
        done(null, text),
      );

    const answerOf = async (stored: Awaited<ReturnType<typeof currentAlerting>>) => ({
      ...stored,
      createdAt: isoOrNull(stored.createdAt),
      secrets: await secretNames(db),
    });

    app.get(
      "/alerting/config",
      {
        config: oversee,
        schema: {
          summary: "The alerting configuration in force, as JSON, or with format=yaml as a file; without secrets",
          tags: ["alerting"],
          security,
          querystring: z.object({ format: z.enum(["json", "yaml"]).default("json") }),
          response: { 200: storedSchema.or(z.string()), ...errors },
        },
      },
      async ({ query }, reply) => {
        const stored = await currentAlerting(db);
        if (query.format === "json") return answerOf(stored);
        return reply
          .type("application/yaml; charset=utf-8")
          .header("content-disposition", `attachment; filename="lynceus-alerting-${stored.version}.yaml"`)
          .serializer((text: string) => text)
          .send(alertingToYaml(stored.config));
      },
    );

    app.put(
      "/alerting/config",
      {
        config: configure,
        bodyLimit: 4 * maxYamlChars,
        schema: {
          summary: "Save the configuration as the next version: JSON with secrets, or a YAML file",
          description:
            "baseVersion is the version that was edited; where another was saved since, the answer is 409. Secrets that are not given stay as they are, for receivers with the same id.",
          tags: ["alerting"],
          security,
          querystring: z.object({
            baseVersion: z.coerce.number().int().min(0).optional().describe("Of a YAML file"),
            note: z.string().max(500).optional(),
          }),
          body: z.string().or(
            z.strictObject({
              baseVersion: z.int().min(0),
              note: z.string().max(500).default(""),
              config: z.unknown(),
              secrets: z
                .record(z.string().max(64), z.record(z.string().max(64), z.string().max(8192).nullable()))
                .default({})
                .describe("By receiver and name; null takes one away"),
            }),
          ),
          response: {
            200: storedSchema.extend({
              missing: z.array(alertingProblemSchema).describe("Receivers that cannot work yet: a secret is not set"),
            }),
            ...errors,
          },
        },
      },
      async (request) => {
        const { body, query } = request;
        const input =
          typeof body === "string"
            ? { baseVersion: query.baseVersion, note: query.note ?? "", config: body, secrets: {} }
            : body;
        if (input.baseVersion === undefined)
          throw new ApiProblem(
            400,
            "invalid",
            "baseVersion is missing; use e.g. ?baseVersion=3, the version that was edited",
          );
        const config = requireConfig(readBody(input.config));
        const { stored, missing } = await saveWithSecrets(
          db,
          keys,
          { config, baseVersion: input.baseVersion, note: input.note, secrets: input.secrets },
          by(request),
        );
        return { ...(await answerOf(stored)), missing };
      },
    );

    app.get(
      "/alerting/config/versions",
      {
        config: oversee,
        schema: {
          summary: "Every version of the configuration, the newest first",
          tags: ["alerting"],
          security,
          response: {
            200: z.object({
              items: z.array(
                z.object({ version: z.int(), createdAt: isoTimeSchema, createdBy: z.string(), note: z.string() }),
              ),
            }),
            ...errors,
          },
        },
      },
      async () => ({
        items: (await listAlerting(db)).map((row) => ({ ...row, createdAt: iso(row.createdAt) })),
      }),
    );

    app.get(
      "/alerting/config/versions/:version",
      {
        config: oversee,
        schema: {
          summary: "One version of the configuration",
          tags: ["alerting"],
          security,
          params: versionParams,
          response: { 200: documentSchema, ...errors },
        },
      },
      async ({ params: { version } }) => {
        const stored = await getAlerting(db, version);
        if (!stored) throw notFound("version", String(version));
        return stored.config;
      },
    );

    app.post(
      "/alerting/validate",
      {
        config: oversee,
        bodyLimit: 4 * maxYamlChars,
        schema: {
          summary: "What is wrong with a configuration, JSON or YAML; nothing is stored",
          tags: ["alerting"],
          security,
          body: z.unknown(),
          response: { 200: z.object({ problems: z.array(alertingProblemSchema) }), ...errors },
        },
      },
      async ({ body }) => ({ problems: [...readBody(body).problems] }),
    );

    app.post(
      "/alerting/simulate",
      {
        config: oversee,
        bodyLimit: 4 * maxYamlChars,
        schema: {
          summary: "Who would be paged if so many machines failed alike, and when; nobody is",
          tags: ["alerting"],
          security,
          body: simulationInputSchema,
          response: { 200: simulationSchema, ...errors },
        },
      },
      async ({ body: { config: proposed, at, ...supposed } }) => {
        const config = await configOr(db, proposed === undefined ? null : requireConfig(readBody(proposed)));
        const begins = at === undefined ? now() : Date.parse(at);
        const story = await simulate(
          { ...supposed, at: begins },
          {
            config,
            silences: await activeSilences(db, begins),
            sites: new Map((await reportingBySite(db)).map((row) => [siteKey(row), row.machines])),
            compose: {
              dashboardUrl: dashboardUrl ?? "http://localhost:3000",
              installation: "simulated",
              textsOf: shortTextOf,
            },
          },
        );
        const steps = story.events.flatMap(({ kind, at: moment, reason, text, detail }) =>
          kind === "opened" || kind === "told" || kind === "held"
            ? [
                {
                  at: iso(new Date(moment)),
                  kind: kind as "opened" | "told" | "held",
                  reason,
                  text,
                  receiver: kind === "told" ? String(detail.receiver) : null,
                  person: kind === "told" && detail.person !== null ? String(detail.person) : null,
                },
              ]
            : [],
        );
        return { urgency: story.urgency, steps };
      },
    );

    app.post(
      "/alerting/receivers/:id/test",
      {
        config: configure,
        schema: {
          summary: "Send a test to a receiver; what became of it is asked of /notices/:id",
          tags: ["alerting"],
          security,
          params: receiverParams,
          response: { 202: noticeRowSchema, ...errors },
        },
      },
      async (request, reply) => {
        const { config } = await currentAlerting(db);
        const receiver = config.receivers.find(({ id }) => id === request.params.id);
        if (!receiver) throw notFound("receiver", request.params.id);
        const { actor } = by(request);
        const at = now();
        const id = await addTestNotice(db, testNotice(receiver, { actor, now: at }), { actor, now: new Date(at) });
        const notice = id === null ? null : await getNotice(db, id);
        if (!notice || !carriesKind(receiver.type, "test"))
          throw new ApiProblem(409, "conflict", "a test of this receiver was asked for at this very moment; ask again");
        return reply.status(202).send(notice);
      },
    );

    app.get(
      "/alerting/on-call",
      {
        config: oversee,
        schema: {
          summary: "Who is on call now and next, and the gaps in which nobody is",
          tags: ["alerting"],
          security,
          querystring: span,
          response: { 200: onCallSchema, ...errors },
        },
      },
      async ({ query }) => {
        const { config } = await currentAlerting(db);
        const { from, to } = spanOf(query, now());
        const names = new Map(config.people.map(({ id, name }) => [id, name]));
        const nameOf = (person: string | null) => (person === null ? null : (names.get(person) ?? person));
        return {
          items: config.schedules.map((schedule) => {
            const present = onCallAt(schedule, now());
            return {
              schedule: schedule.id,
              name: schedule.name,
              zone: schedule.zone,
              now: { person: present.person, name: nameOf(present.person), until: iso(new Date(present.to)) },
              shifts: shifts(schedule, from, to).map((shift) => ({
                from: iso(new Date(shift.from)),
                to: iso(new Date(shift.to)),
                person: shift.person,
                name: nameOf(shift.person),
                by: shift.by,
              })),
            };
          }),
        };
      },
    );

    app.get(
      "/alerting/maintenance",
      {
        config: oversee,
        schema: {
          summary: "When maintenance windows are, in order",
          tags: ["alerting"],
          security,
          querystring: span,
          response: {
            200: z.object({
              items: z.array(
                z.object({
                  id: z.string(),
                  name: z.string(),
                  match: z.string(),
                  from: isoTimeSchema,
                  to: isoTimeSchema,
                }),
              ),
            }),
            ...errors,
          },
        },
      },
      async ({ query }) => {
        const { config } = await currentAlerting(db);
        const { from, to } = spanOf(query, now());
        const items = config.maintenance.flatMap((window) =>
          occurrences(window, from, to).map((one) => ({
            id: window.id,
            name: window.name,
            match: window.match,
            from: iso(new Date(one.from)),
            to: iso(new Date(one.to)),
          })),
        );
        return { items: items.sort((a, b) => (a.from < b.from ? -1 : 1)).slice(0, 1000) };
      },
    );

    app.get(
      "/notices",
      {
        config: oversee,
        schema: {
          summary: "What receivers were told, and what became of it; state=dead are the dead letters",
          tags: ["alerting"],
          security,
          querystring: z.object({
            state: noticeStateSchema.optional(),
            incident: z.coerce
              .number()
              .int()
              .min(1)
              .max(2 ** 31 - 1)
              .optional(),
            receiver: z.string().max(63).optional(),
            ...cursorQuery,
          }),
          response: { 200: pageSchema(noticeRowSchema), ...errors },
        },
      },
      ({ query: { state, incident, receiver, cursor, limit } }) =>
        listNotices(db, {
          ...(state && { state }),
          ...(incident !== undefined && { incident }),
          ...(receiver !== undefined && { receiver }),
          cursor: cursor ?? null,
          limit,
        }),
    );

    const noticeParams = z.object({ id: z.string().regex(/^\d{1,18}$/) });
    app.get(
      "/notices/:id",
      {
        config: oversee,
        schema: {
          summary: "One notice",
          tags: ["alerting"],
          security,
          params: noticeParams,
          response: { 200: noticeRowSchema, ...errors },
        },
      },
      async ({ params: { id } }) => {
        const notice = await getNotice(db, id);
        if (!notice) throw notFound("notice", id);
        return notice;
      },
    );

    app.post(
      "/notices/:id/retry",
      {
        config: configure,
        schema: {
          summary: "Send a dead letter, or one that waits for its next try, again now",
          tags: ["alerting"],
          security,
          params: noticeParams,
          response: { 202: noticeRowSchema, ...errors },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        if (!(await retryNotice(db, id, by(request)))) throw notFound("notice that failed", id);
        const notice = await getNotice(db, id);
        if (!notice) throw notFound("notice", id);
        return reply.status(202).send(notice);
      },
    );
  };
};
