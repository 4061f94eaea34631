import { isIP } from "node:net";

/** Whether a host names this machine alone. Only literals and `localhost`: a name could resolve anywhere. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  if (bare === "localhost" || bare === "::1") return true;
  return isIP(bare) === 4 && bare.startsWith("127.");
}

/**
 * Address of the collector's agent endpoint: `wss://host:port` becomes `wss://host:port/agent/v1`.
 * Plain `ws:` is accepted on loopback only.
 * @throws Error with one line: the value, the rule, an example.
 */
export function parseCollectorUrl(text: string): URL {
  const example = "e.g. wss://collector.contoso.com:7443";
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) throw new Error(`collector "${text}" has no scheme; use ${example}`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error(`collector "${text}" is not an address; use ${example}`);
  }
  if (url.protocol !== "wss:" && url.protocol !== "ws:")
    throw new Error(`collector "${text}" has the scheme ${url.protocol}//; use ${example}`);
  if (url.protocol === "ws:" && !isLoopback(url.hostname))
    throw new Error(`collector "${text}" is plain text, which is allowed on loopback only; use ${example}`);
  if (url.username || url.password) throw new Error(`collector address must not hold a user name or password`);
  url.hash = "";
  if (url.pathname === "/") url.pathname = "/agent/v1";
  return url;
}
