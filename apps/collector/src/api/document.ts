import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { type Right, rights } from "@lynceus/protocol/access";
import * as alerting from "@lynceus/protocol/alerting";
import * as facts from "@lynceus/protocol/facts";
import * as names from "@lynceus/protocol/names";
import * as notice from "@lynceus/protocol/notice";
import * as policy from "@lynceus/protocol/policy";
import * as readApi from "@lynceus/protocol/read-api";
import * as incidents from "@lynceus/protocol/read-api-incidents";
import * as tools from "@lynceus/protocol/read-api-tools";
import * as receivers from "@lynceus/protocol/receivers";
import * as series from "@lynceus/protocol/series";
import * as state from "@lynceus/protocol/state";
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from "fastify-type-provider-zod";
import * as z from "zod";
import { readable } from "./json-schema.ts";

/*
 * The OpenAPI 3.1 document: what routes say of themselves, with the names of the protocol's schemas, the right that each
 * route asks for, and an id for each operation.
 */

const tagTexts: Record<string, string> = {
  about: "Who answers, and what the token may do",
  alerting: "Who is told of incidents: the configuration, trying it out, and what was sent",
  canaries: "Proposed proxy settings, judged before they are rolled out",
  causes: "What failing machines share that healthy ones do not",
  changes: "What changed on machines",
  enrolment: "Tokens that let new machines in",
  events: "What happens, as it happens",
  findings: "Patterns on machines",
  incidents: "One cause is one incident, with its machines and its timeline",
  machines: "Machines, their facts and their history",
  policy: "What agents are told to do",
  reports: "What people saw, and how often patterns were right",
  series: "Counts and targets over time",
  silences: "Machines of which nobody is told for a while",
  sites: "Which subnet is which site",
  verifications: "Machines that are asked again whether a fix helped",
};

const isSchema = (value: unknown): value is z.ZodType => value instanceof z.ZodType;

/** `machineRowSchema` → `MachineRow`. A name that is taken gets its module's prefix. */
function namedSchemas() {
  const registry = z.registry<{ id: string }>();
  const taken = new Set<string>();
  const modules = [
    ["", names],
    ["", readApi],
    ["", tools],
    ["", incidents],
    ["", series],
    ["Policy", policy],
    ["Alerting", alerting],
    ["", receivers],
    ["", notice],
    ["", state],
    ["Wire", facts],
  ] as const;
  for (const [prefix, module] of modules)
    for (const [key, schema] of Object.entries(module)) {
      if (!key.endsWith("Schema") || !isSchema(schema) || registry.has(schema)) continue;
      // What an address carries is shown parameter by parameter.
      if (key.endsWith("QuerySchema")) continue;
      // A name for a text with a rule says less than the rule.
      if (!["object", "enum", "union"].includes(schema.def.type)) continue;
      // "Input" at the end is what the library makes of a schema that is sent.
      const plain = `${key[0]?.toUpperCase()}${key.slice(1, -"Schema".length)}`.replace(/Input$/, "Request");
      const id = taken.has(plain) ? `${prefix}${plain}` : plain;
      taken.add(id);
      registry.add(schema, { id });
    }
  return registry;
}

/** @example operationId("GET", "/api/v1/machines/:id/timeline") === "getMachinesByIdTimeline" */
export function operationId(method: string, url: string): string {
  const words = url
    .replace(/^\/api\/v1/, "")
    .split(/[/-]/)
    .filter((word) => word !== "")
    .map((word) => (word.startsWith(":") ? `by-${word.slice(1)}` : word))
    .flatMap((word) => word.split(/[-.]/));
  return `${method.toLowerCase()}${words.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join("")}`;
}

const scopeOfRole = { viewer: "read", operator: "operate", admin: "admin" } as const;

function needs(right: Right): string {
  const { role, fleet } = rights[right];
  return `Needs a token with scope \`${scopeOfRole[role]}\`${fleet ? " for the whole fleet" : ""}.`;
}

const answerTexts: Record<string, string> = {
  "4XX": "Refused: `error.code` says why",
  "5XX": "Failed here: `error.requestId` finds it in the log",
};

/** What the library says of an answer that says nothing of itself is put into words. */
function withAnswerTexts(paths: object | undefined): void {
  for (const path of Object.values(paths ?? {}))
    for (const operation of Object.values(
      path as Record<string, { responses?: Record<string, { description: string }> }>,
    ))
      for (const [status, answer] of Object.entries(operation.responses ?? {}))
        if (answer.description === "Default Response") answer.description = answerTexts[status] ?? "Done";
}

/** Components that nothing names are left out. */
function withoutUnused<T extends { components?: { schemas?: Record<string, unknown> } }>(document: T): T {
  const all = document.components?.schemas ?? {};
  const used = new Set<string>();
  const visit = (value: unknown): void => {
    for (const [, name = ""] of JSON.stringify(value ?? null).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      visit(all[name]);
    }
  };
  visit({ ...document, components: null });
  const schemas = Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)));
  return { ...document, components: { ...document.components, schemas } };
}

/** Options of @fastify/swagger. */
export function documentOptions(version: string): FastifyDynamicSwaggerOptions {
  const schemaRegistry = namedSchemas();
  const zodToJsonConfig = { override: readable } as NonNullable<
    Parameters<typeof createJsonSchemaTransform>[0]["zodToJsonConfig"]
  >;
  const transformSchema = createJsonSchemaTransform({ schemaRegistry, zodToJsonConfig });
  const transformObject = createJsonSchemaTransformObject({ schemaRegistry, zodToJsonConfig });
  return {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Lynceus",
        version,
        description:
          "Which machines will be prompted for Exchange credentials, why, and what fixes it. " +
          "Paths and fields are added and never renamed; a client ignores what it does not know. " +
          "Lists come a page at a time: `nextCursor` of one is the `cursor` of the next. " +
          "Every error has `error.code`, which is API, and `error.message`, which says the value and the rule.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: "/", description: "The collector that this document comes from" }],
      tags: Object.entries(tagTexts).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          bearer: {
            type: "http",
            scheme: "bearer",
            description: "An API token, `lyn_…`, made in the dashboard's settings",
          },
        },
      },
    },
    transform: (input) => {
      const { schema, url } = transformSchema(input);
      const { method, config } = input.route;
      if (!schema || schema.hide) return { schema, url };
      const { right, open } = (config ?? {}) as { right?: Right; open?: string };
      const who = right ? needs(right) : `Needs no token: ${open}.`;
      const description = schema.description ? `${schema.description}\n\n${who}` : who;
      const security = right ? [{ bearer: [] }] : [];
      return { url, schema: { ...schema, operationId: operationId(String(method), url), description, security } };
    },
    transformObject: (input) => {
      const document = withoutUnused(
        transformObject(input) as { paths?: object } & Parameters<typeof withoutUnused>[0],
      );
      withAnswerTexts(document.paths);
      return document as never;
    },
  };
}
