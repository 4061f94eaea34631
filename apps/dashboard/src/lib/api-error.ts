import { randomBytes } from "node:crypto";
import type { ApiError } from "@lynceus/protocol/read-api";

/** An error answer of the dashboard's own API, in the shape every API error of ours has. */
export function apiError(status: number, code: string, message: string, headers?: HeadersInit): Response {
  const body: ApiError = { error: { code, message, requestId: requestId() } };
  return Response.json(body, { status, ...(headers === undefined ? {} : { headers }) });
}

/** Six hexadecimal digits, to find a request in the log by. */
export function requestId(): string {
  return randomBytes(3).toString("hex");
}
