import type { Database } from "@lynceus/db/client";
import { currentPolicy, getPolicy, listPolicies, type StoredPolicy, savePolicy } from "@lynceus/db/policies";
import { listSiteSubnets, saveSiteSubnets } from "@lynceus/db/sites";
import { type Policy, policySchema } from "@lynceus/protocol/policy";
import { policyProblems } from "@lynceus/protocol/policy-check";
import { apiErrorSchema, isoTimeSchema } from "@lynceus/protocol/read-api";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import * as z from "zod";
import { actorOf } from "./auth.ts";
import { ApiProblem, notFound } from "./errors.ts";
import { iso, versionParams } from "./schemas.ts";

const errors = { "4xx": apiErrorSchema, "5xx": apiErrorSchema };
const security = [{ bearer: [] }];

const versionSchema = z.object({
  version: z.number().int(),
  createdAt: isoTimeSchema,
  createdBy: z.string(),
  note: z.string(),
});
const storedPolicySchema = versionSchema.extend({ policy: policySchema });
const toPolicy = ({ body, createdAt, ...rest }: StoredPolicy) => ({ ...rest, createdAt: iso(createdAt), policy: body });

const subnetsSchema = z.object({
  items: z
    .array(z.object({ cidr: z.string().max(64).describe("10.40.0.0/16"), site: z.string().trim().min(1).max(200) }))
    .max(20_000),
});

/** What an admin sets beside alerting: the policy of agents, and the map from subnets to sites. */
export const configurationRoutes = (options: {
  readonly db: Database;
  readonly now: () => number;
}): FastifyPluginAsyncZod => {
  const { db, now } = options;
  return async (app) => {
    app.get(
      "/policy",
      {
        config: { right: "read" },
        schema: {
          summary: "The policy in force",
          tags: ["policy"],
          security,
          response: { 200: storedPolicySchema, ...errors },
        },
      },
      async () => {
        const stored = await currentPolicy(db);
        if (!stored) throw new ApiProblem(404, "not-found", "there is no policy yet; the first-run page makes one");
        return toPolicy(stored);
      },
    );

    app.put(
      "/policy",
      {
        config: { right: "configure" },
        schema: {
          summary: "Save a policy as the next version; agents take it within a heartbeat",
          tags: ["policy"],
          security,
          body: z.strictObject({
            baseVersion: z.int().min(0).describe("The version that was edited"),
            note: z.string().max(500).default(""),
            policy: policySchema.omit({ version: true }),
          }),
          response: { 200: storedPolicySchema, ...errors },
        },
      },
      async (request) => {
        const { policy, baseVersion, note } = request.body;
        const problems = policyProblems(policy);
        if (problems.length > 0)
          throw new ApiProblem(
            422,
            "bad-policy",
            problems.map(({ path, message }) => `${path}: ${message}`).join("; "),
          );
        const createdBy = actorOf(request);
        // The next version is its number.
        const body: Policy = { ...policy, version: 0 };
        return toPolicy(await savePolicy(db, { body, baseVersion, note, createdBy, now: new Date(now()) }));
      },
    );

    app.get(
      "/policy/versions",
      {
        config: { right: "read" },
        schema: {
          summary: "Every version of the policy, the newest first",
          tags: ["policy"],
          security,
          response: { 200: z.object({ items: z.array(versionSchema) }), ...errors },
        },
      },
      async () => ({
        items: (await listPolicies(db)).map((row) => ({ ...row, createdAt: iso(row.createdAt) })),
      }),
    );

    app.get(
      "/policy/versions/:version",
      {
        config: { right: "read" },
        schema: {
          summary: "One version of the policy",
          tags: ["policy"],
          security,
          params: versionParams,
          response: { 200: storedPolicySchema, ...errors },
        },
      },
      async ({ params: { version } }) => {
        const stored = await getPolicy(db, version);
        if (!stored) throw notFound("version", String(version));
        return toPolicy(stored);
      },
    );

    app.get(
      "/sites",
      {
        config: { right: "read" },
        schema: {
          summary: "Which subnet is which site; of the sites in view",
          tags: ["sites"],
          security,
          response: { 200: subnetsSchema, ...errors },
        },
      },
      async ({ fleet }) => ({ items: await listSiteSubnets(fleet) }),
    );

    app.put(
      "/sites",
      {
        config: { right: "configure" },
        // A row a subnet of a large company.
        bodyLimit: 4 * 1024 * 1024,
        schema: {
          summary: "Replace the map from subnets to sites",
          tags: ["sites"],
          security,
          body: subnetsSchema,
          response: { 200: subnetsSchema, ...errors },
        },
      },
      async (request) => {
        await saveSiteSubnets(db, request.body.items, { actor: actorOf(request) });
        return { items: await listSiteSubnets(request.fleet) };
      },
    );
  };
};
