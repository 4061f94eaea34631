import createFetchClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./generated/schema.ts";

/*
 * A client of the collector's API. Paths, parameters and answers are typed by the API's own document:
 *
 *     const lynceus = createClient({ url: "https://collector.example.org:7443", token: "lyn_…" });
 *     const { items } = await answer(lynceus.GET("/api/v1/machines", { params: { query: { q: "status:failing" } } }));
 *     for await (const machine of pages((query) => lynceus.GET("/api/v1/machines", { params: { query } }))) …
 */

export type { paths } from "./generated/schema.ts";
/** Named shapes of the API: `Schemas["MachineRow"]`. */
export type Schemas = components["schemas"];
export type LynceusClient = Client<paths>;

export interface ClientOptions {
  /** Address of a collector; `wss://`, as enrolment tokens have it, is taken as well. */
  readonly url: string;
  /** An API token. */
  readonly token: string;
  /** Instead of the runtime's: for a certificate authority of one's own, or a proxy. */
  readonly fetch?: (request: Request) => Promise<Response>;
  readonly userAgent?: string;
}

/** What the API refused, or why it could not be asked. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** `error.code` of the API, or "unreachable" or "unexpected". */
  readonly code: string;
  readonly requestId: string | null;
  constructor(status: number, code: string, message: string, requestId: string | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

/** @throws ApiError with the value, the rule and an example */
export function collectorUrl(text: string): string {
  const address = text.replace(/^ws(s?):/i, "http$1:");
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search !== "" || url.username !== "")
    throw new ApiError(
      0,
      "bad-url",
      `"${text}" is not the address of a collector; use e.g. https://collector.example.org:7443`,
    );
  return url.origin;
}

export function createClient({ url, token, fetch, userAgent }: ClientOptions): LynceusClient {
  const client = createFetchClient<paths>({
    baseUrl: collectorUrl(url),
    headers: { authorization: `Bearer ${token}`, ...(userAgent && { "user-agent": userAgent }) },
    ...(fetch && { fetch }),
  });
  return client;
}

/** Causes that Node hides behind "fetch failed", innermost last. */
function reasonOf(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  if (at instanceof AggregateError && at.errors[0] instanceof Error) at = at.errors[0];
  return at instanceof Error ? at.message : String(at);
}

/** The data of an answer. @throws ApiError when it was refused, or nobody answered. */
export async function answer<T>(
  asked: Promise<{ data?: T | undefined; error?: unknown; response: Response }>,
): Promise<T> {
  let result: Awaited<typeof asked>;
  try {
    result = await asked;
  } catch (error) {
    throw new ApiError(0, "unreachable", `the collector cannot be reached: ${reasonOf(error)}`);
  }
  const { data, error, response } = result;
  if (response.ok) return data as T;
  const said = (error as Partial<Schemas["ApiError"]> | undefined)?.error;
  if (said) throw new ApiError(response.status, said.code, said.message, said.requestId);
  throw new ApiError(response.status, "unexpected", `${response.url} answered ${response.status}; is it a collector?`);
}

interface PageOf<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** Every item of a list, a page at a time. `limit`: the most items to ask for at once. */
export async function* pages<Item>(
  ask: (query: { cursor?: string; limit: number }) => Promise<{
    data?: PageOf<Item> | undefined;
    error?: unknown;
    response: Response;
  }>,
  limit = 500,
): AsyncGenerator<Item, void, void> {
  let cursor: string | null = null;
  do {
    const page: PageOf<Item> = await answer(ask({ limit, ...(cursor !== null && { cursor }) }));
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== null);
}
