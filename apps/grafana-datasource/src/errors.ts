import type { FetchError } from "@grafana/runtime";

/** What the API said, or that nothing said anything, in words. */
export class ApiFailure extends Error {
  readonly status: number;
  /** The API's own code; null where the answer was not the API's. */
  readonly code: string | null;
  constructor(status: number, code: string | null, message: string) {
    super(message);
    this.name = "ApiFailure";
    this.status = status;
    this.code = code;
  }
}

/** What Grafana makes of an answer 401 of a data source, so that its own log-in page does not appear. */
const refusedToken = "Authentication to data source failed";

interface ErrorBody {
  error?: { code?: unknown; message?: unknown; requestId?: unknown };
  message?: unknown;
}

const isFetchError = (error: unknown): error is FetchError =>
  typeof error === "object" && error !== null && "status" in error && "data" in error;

/** Whatever a request threw, as one kind of error. A request that was cancelled stays what it is. */
export function failureOf(error: unknown): Error {
  if (!isFetchError(error)) return error instanceof Error ? error : new Error(String(error));
  if (error.cancelled) return error as unknown as Error;
  const { status } = error;
  const data: unknown = error.data;
  const text = typeof data === "string" ? data : String((data as ErrorBody | null)?.message ?? "");
  const body = (data as ErrorBody | null)?.error;
  if (body && typeof body === "object" && typeof body.message === "string") {
    const code = typeof body.code === "string" ? body.code : null;
    const reference = typeof body.requestId === "string" ? ` (request ${body.requestId})` : "";
    return new ApiFailure(status, code, status >= 500 ? `${body.message}${reference}` : body.message);
  }
  if (status === 401 || (status === 400 && text.includes(refusedToken)))
    return new ApiFailure(401, "unauthorized", "The collector does not accept the API token.");
  if (status === 429)
    return new ApiFailure(
      429,
      "too-many-requests",
      "The collector answers no more requests of this token this minute.",
    );
  if (status === 502 || status === 504 || status === 0)
    return new ApiFailure(status, null, "Grafana cannot reach the collector.");
  return new ApiFailure(status, null, `The answer ${status} is not one of a Lynceus collector.`);
}
