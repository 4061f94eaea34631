import { AlertingConflictError } from "@lynceus/db/alerting";
import { CursorError } from "@lynceus/db/cursor";
import { TokenScopeError } from "@lynceus/db/enrollment";
import { IncidentActError } from "@lynceus/db/incident-acts";
import { FilterFieldError } from "@lynceus/db/machines-filter";
import { PolicyConflictError } from "@lynceus/db/policies";
import { ReportError } from "@lynceus/db/reports";
import { SeriesError } from "@lynceus/db/series-grid";
import { SilenceError } from "@lynceus/db/silences";
import { SiteSubnetError } from "@lynceus/db/sites";
import { isTransient } from "@lynceus/db/sql-error";
import type { ApiError } from "@lynceus/protocol/read-api";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from "fastify-type-provider-zod";
import { SecretError } from "../incidents/save-config.ts";

/** What the API refuses, with a code that is API: add, never rename. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const notFound = (what: string, id: string): ApiProblem =>
  new ApiProblem(404, "not-found", `no ${what} "${id.slice(0, 64)}"`);

const body = (request: FastifyRequest, code: string, message: string): ApiError => ({
  error: { code, message, requestId: request.id },
});

function problemOf(error: unknown): { status: number; code: string; message: string } {
  if (error instanceof ApiProblem) return { status: error.status, code: error.code, message: error.message };
  if (hasZodFastifySchemaValidationErrors(error)) {
    const issue = error.validation[0];
    const where = `${error.validationContext ?? "request"}${issue?.instancePath ?? ""}`;
    return { status: 400, code: "invalid", message: `${where}: ${issue?.message ?? "invalid"}` };
  }
  if (error instanceof CursorError) return { status: 400, code: "bad-cursor", message: error.message };
  if (error instanceof TokenScopeError) return { status: 403, code: "outside-scope", message: error.message };
  if (error instanceof SeriesError) return { status: 400, code: "bad-series", message: error.message };
  if (error instanceof ReportError) return { status: 400, code: "bad-report", message: error.message };
  if (error instanceof IncidentActError) return { status: 409, code: "conflict", message: error.message };
  if (error instanceof AlertingConflictError) return { status: 409, code: "conflict", message: error.message };
  if (error instanceof PolicyConflictError) return { status: 409, code: "conflict", message: error.message };
  if (error instanceof SiteSubnetError) return { status: 400, code: "bad-subnet", message: error.message };
  if (error instanceof SilenceError) return { status: 400, code: "bad-silence", message: error.message };
  if (error instanceof SecretError) return { status: 422, code: "bad-secret", message: error.message };
  if (error instanceof FilterFieldError) return { status: 400, code: "bad-filter", message: error.message };
  if (isResponseSerializationError(error))
    return { status: 500, code: "internal", message: "the answer broke its own schema" };
  const status = (error as { statusCode?: unknown })?.statusCode;
  if (typeof status === "number" && status >= 400 && status < 500)
    return {
      status,
      code: status === 429 ? "too-many-requests" : "bad-request",
      message: error instanceof Error ? error.message : "bad request",
    };
  if (isTransient(error)) return { status: 503, code: "unavailable", message: "the database cannot be reached now" };
  return { status: 500, code: "internal", message: "something failed here; the log has it under this request id" };
}

/** Every error of every path in one shape. */
export function handleErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request: FastifyRequest, reply: FastifyReply) => {
    const { status, code, message } = problemOf(error);
    if (status >= 500) request.log.error({ err: error }, "request failed");
    return reply.status(status).send(body(request, code, message));
  });
  app.setNotFoundHandler((request, reply) =>
    reply.status(404).send(body(request, "not-found", `no ${request.method} ${request.url.slice(0, 200)}`)),
  );
}
