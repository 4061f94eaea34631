import { type ApiTokenRow, verifyApiToken } from "@lynceus/db/api-tokens";
import type { Database } from "@lynceus/db/client";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ApiProblem } from "./errors.ts";

export const scopes = ["read", "operate", "admin"] as const;
/** `read` reads, `operate` also asks machines to check, `admin` also makes enrolment tokens. Each holds the one before. */
export type Scope = (typeof scopes)[number];

declare module "fastify" {
  interface FastifyRequest {
    apiToken: ApiTokenRow | null;
  }
  interface FastifyContextConfig {
    /** Scope that a route needs; none given: open to everyone. */
    scope?: Scope;
  }
}

const holds = (token: ApiTokenRow, scope: Scope): boolean =>
  token.scopes.some((name) => scopes.indexOf(name as Scope) >= scopes.indexOf(scope));

/** Checks `Authorization: Bearer lyn_…` on every route that names a scope. */
export function requireTokens(app: FastifyInstance, db: Database, now: () => number): void {
  app.decorateRequest("apiToken", null);
  app.addHook("onRequest", async (request: FastifyRequest, reply) => {
    const { scope } = request.routeOptions.config;
    if (!scope) return;
    const secret = /^Bearer (lyn_[\w-]{16,200})$/.exec(request.headers.authorization ?? "")?.[1];
    const token = secret ? await verifyApiToken(db, secret, new Date(now())) : null;
    if (!token) {
      reply.header("www-authenticate", "Bearer");
      throw new ApiProblem(401, "unauthorized", "a valid API token is needed: Authorization: Bearer lyn_…");
    }
    if (!holds(token, scope))
      throw new ApiProblem(403, "forbidden", `this needs scope "${scope}"; the token has ${token.scopes.join(", ")}`);
    request.apiToken = token;
  });
}

/** Who asks, for the audit. */
export const actorOf = (request: FastifyRequest): string =>
  request.apiToken ? `api token ${request.apiToken.label || request.apiToken.id}` : "api";
