import { getBackendSrv } from "@grafana/runtime";
import { catchError, defer, map, type Observable, throwError } from "rxjs";
import { failureOf } from "./errors";

/** Values of query parameters; a list is a parameter that is repeated, and what is undefined is left out. */
export type Parameters = Record<string, string | number | boolean | readonly string[] | undefined>;

export function queryString(parameters: Parameters): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (Array.isArray(value)) for (const one of value) search.append(name, one);
    else if (value !== undefined) search.append(name, String(value));
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

/**
 * The collector's read API, asked through Grafana's data proxy: the route of plugin.json adds the token on the server.
 * Errors are ApiFailures.
 */
export class Api {
  /** Below Grafana: `/api/datasources/proxy/uid/<uid>`. */
  readonly base: string;
  constructor(url: string) {
    this.base = `${url.replace(/\/$/, "")}/api/v1`;
  }

  /** Asks for JSON, once somebody waits for it. A request id lets Grafana cancel the one before of the same panel. */
  get<T>(path: string, parameters: Parameters = {}, requestId?: string): Observable<T> {
    return defer(() =>
      getBackendSrv().fetch<T>({
        url: `${this.base}${path}${queryString(parameters)}`,
        method: "GET",
        showErrorAlert: false,
        ...(requestId === undefined ? {} : { requestId }),
      }),
    ).pipe(
      map(({ data }) => data),
      catchError((error: unknown) => throwError(() => failureOf(error))),
    );
  }
}
