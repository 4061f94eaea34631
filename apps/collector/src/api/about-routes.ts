import { scopeText } from "@lynceus/protocol/access";
import { apiVersion } from "@lynceus/protocol/api-version";
import { apiErrorSchema } from "@lynceus/protocol/read-api";
import { aboutSchema } from "@lynceus/protocol/series";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { iso, isoOrNull } from "./schemas.ts";

export interface AboutRoutesOptions {
  readonly version: string;
  readonly dashboardUrl: string | null;
  readonly now: () => number;
}

/** What a client asks first: who answers, whether the token is good, and whether the two understand each other. */
export const aboutRoutes = ({ version, dashboardUrl, now }: AboutRoutesOptions): FastifyPluginAsyncZod => {
  return async (app) => {
    app.get(
      "/about",
      {
        config: { right: "read" },
        schema: {
          summary: "Version of the collector, and what the token may do",
          tags: ["about"],
          security: [{ bearer: [] }],
          response: { 200: aboutSchema, "4xx": apiErrorSchema, "5xx": apiErrorSchema },
        },
      },
      async ({ caller }) => ({
        product: "lynceus" as const,
        version,
        apiVersion,
        now: iso(new Date(now())),
        dashboardUrl,
        token: {
          label: caller?.token.label ?? "",
          scopes: caller?.token.scopes ?? [],
          sees: caller ? scopeText(caller.access) : "",
          expiresAt: isoOrNull(caller?.token.expiresAt ?? null),
        },
      }),
    );
  };
};
