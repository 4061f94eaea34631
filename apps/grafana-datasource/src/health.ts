import { apiVersion } from "@lynceus/protocol/api-version";
import type { About } from "@lynceus/protocol/series";
import { ApiFailure } from "./errors";

/** What Grafana shows below the settings. */
export interface Health {
  readonly status: "success" | "error" | "warning";
  readonly message: string;
}

const error = (message: string): Health => ({ status: "error", message });
const dayMs = 86_400_000;
const mostSkewMs = 5 * 60_000;

/** Why the collector was not reached, or what it said, with what to do about it. */
export function healthOfFailure(failure: unknown): Health {
  if (!(failure instanceof ApiFailure)) return error(failure instanceof Error ? failure.message : String(failure));
  const { status, code, message } = failure;
  if (code === "unauthorized")
    return error(
      "Token: the collector does not accept it. It is missing, mistyped, revoked or has expired; make one with the scope read in Lynceus, Settings, API tokens.",
    );
  if (code === "forbidden") return error(`Token: ${message}. It needs the scope read.`);
  if (code !== null) return error(message);
  if (status === 502 || status === 504 || status === 0)
    return error(
      "URL or certificate: Grafana's server cannot reach the collector. Check the host and the port (7443 unless it was changed), https rather than http, the firewall between the two servers; and the certificate: a collector that made its own needs its authority in \"CA certificate\" (ca.pem in the collector's data directory).",
    );
  return error(
    `URL: what answers there (${status}) is no Lynceus collector. It is the collector's address, not the dashboard's, e.g. https://collector.example.org:7443`,
  );
}

/** What an answer says: right product, versions that understand each other, clocks that agree, a token that lasts. */
export function healthOf(about: unknown, now: number): Health {
  const given = about as Partial<About> | null;
  if (given === null || typeof given !== "object" || given.product !== "lynceus")
    return error(
      "URL: what answers there is no Lynceus collector. It is the collector's address, not the dashboard's, e.g. https://collector.example.org:7443",
    );
  const { version, token } = given;
  if (given.apiVersion !== apiVersion)
    return error(
      `Version: the collector ${version} speaks version ${given.apiVersion} of the API, this plugin version ${apiVersion}. Update the ${(given.apiVersion ?? 0) > apiVersion ? "plugin" : "collector"}.`,
    );
  const expires = token?.expiresAt ? Date.parse(token.expiresAt) - now : null;
  const name = token?.label ? ` "${token.label}"` : "";
  const answers = `Lynceus ${version} answers; the token${name} sees ${token?.sees ?? "nothing"}.`;
  const skew = Date.parse(given.now ?? "") - now;
  if (Math.abs(skew) > mostSkewMs)
    return {
      status: "warning",
      message: `${answers} Its clock and this browser's differ by ${Math.round(Math.abs(skew) / 60_000)} min: charts will look shifted.`,
    };
  if (expires !== null && expires < 14 * dayMs)
    return {
      status: "warning",
      message: `${answers} The token expires in ${Math.max(0, Math.floor(expires / dayMs))} days.`,
    };
  return { status: "success", message: answers };
}
