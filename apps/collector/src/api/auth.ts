import { type ApiTokenRow, verifyApiToken } from "@lynceus/db/api-tokens";
import type { Database } from "@lynceus/db/client";
import { type Fleet, fleetOf } from "@lynceus/db/scope";
import { type Access, allows, type Right, rights, roleOfToken, scopeText } from "@lynceus/protocol/access";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ApiProblem } from "./errors.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set where a route asks for a right. */
    caller: { token: ApiTokenRow; access: Access } | null;
    /** The fleet as far as the caller sees it: what every query of a route takes. */
    readonly fleet: Fleet;
  }
  interface FastifyContextConfig {
    /** What a route asks for (protocol access.ts). A route has a right, or says why it is open. */
    right?: Right;
    /** Why everybody may call it. */
    open?: string;
  }
}

/** Who an `Authorization: Bearer lyn_…` header is of, and what they may see; null when it names no token in force. */
export async function callerOf(
  db: Database,
  authorization: string | undefined,
  now: number,
): Promise<{ token: ApiTokenRow; access: Access | null } | null> {
  const secret = /^Bearer (lyn_[\w-]{16,200})$/.exec(authorization ?? "")?.[1];
  const token = secret ? await verifyApiToken(db, secret, new Date(now)) : null;
  if (!token) return null;
  const role = roleOfToken(token.scopes);
  return { token, access: role && { role, ...token.scope } };
}

/**
 * Checks `Authorization: Bearer lyn_…` on every route. One that names neither a right nor why it is open is refused when it
 * is registered, so that nothing is open by mistake.
 */
export function requireTokens(app: FastifyInstance, db: Database, now: () => number): void {
  app.decorateRequest("caller", null);
  app.decorateRequest("fleet", {
    getter(this: FastifyRequest) {
      if (!this.caller) throw new Error("a route without a right sees no fleet");
      return fleetOf(db, this.caller.access);
    },
  });
  app.addHook("onRoute", ({ method, url, config }) => {
    if (config?.right === undefined && config?.open === undefined)
      throw new Error(
        `route ${method} ${url} names no right; give config: { right: "read" }, or { open: "why everybody may call it" }`,
      );
  });
  app.addHook("onRequest", async (request: FastifyRequest, reply) => {
    const { right } = request.routeOptions.config;
    if (!right) return;
    const caller = await callerOf(db, request.headers.authorization, now());
    if (!caller) {
      reply.header("www-authenticate", "Bearer");
      throw new ApiProblem(401, "unauthorized", "a valid API token is needed: Authorization: Bearer lyn_…");
    }
    const { token, access } = caller;
    if (!access || !allows(access, right)) throw refused(token, right);
    request.caller = { token, access };
  });
}

const scopeOfRole = { viewer: "read", operator: "operate", admin: "admin" } as const;

function refused(token: ApiTokenRow, right: Right): ApiProblem {
  const { role, fleet } = rights[right];
  const where = fleet ? " for the whole fleet" : "";
  return new ApiProblem(
    403,
    "forbidden",
    `this needs scope "${scopeOfRole[role]}"${where}; the token has ${token.scopes.join(", ")} for ${scopeText(token.scope)}`,
  );
}

/** Who asks, for the audit. */
export const actorOf = (request: FastifyRequest): string =>
  request.caller ? `api token ${request.caller.token.label || request.caller.token.id}` : "api";
