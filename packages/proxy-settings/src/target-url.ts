import type { Target } from "@lynceus/protocol/policy";
import { formatHostPort } from "./host-port.ts";

/**
 * The address of a target as a client would ask for it, which is what settings and scripts are asked about; SIP and TLS
 * ports as https, which is how they are proxied.
 */
export function targetUrl(target: Pick<Target, "kind" | "host" | "port" | "path">): string {
  const scheme = target.kind === "http" ? "http" : "https";
  const standard = scheme === "http" ? 80 : 443;
  const port = target.port ?? standard;
  const bare = target.host.includes(":") ? `[${target.host}]` : target.host;
  return `${scheme}://${port === standard ? bare : formatHostPort(target.host, port)}${target.path ?? "/"}`;
}
