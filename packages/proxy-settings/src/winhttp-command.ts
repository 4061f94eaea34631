import { type InForce, inForce } from "./effective.ts";

/** Settings of the machine-wide WinHTTP as a command tells them; null = direct. */
export interface WinHttpProxy {
  readonly server: string;
  readonly bypass: string;
}

const noneWord = (text: string) => (/^\(none\)$/i.test(text) ? "" : text);

/**
 * Reads `netsh winhttp show proxy` (domain 4.7). Its words are translated on other systems, so only the blob is proof:
 * undefined means that the text is not understood, null direct. Never throws.
 */
export function parseNetshProxy(text: string): WinHttpProxy | null | undefined {
  const field = (name: string): string | undefined => {
    for (const line of text.split("\n", 64)) {
      const trimmed = line.trim();
      if (!trimmed.startsWith(name)) continue;
      const rest = trimmed.slice(name.length).trimStart();
      if (rest.startsWith(":")) return noneWord(rest.slice(1).trim());
    }
    return undefined;
  };
  const server = field("Proxy Server(s)");
  if (server !== undefined) return server === "" ? null : { server, bypass: field("Bypass List") ?? "" };
  return /^\s*Direct access \(no proxy server\)\.?\s*$/m.test(text.slice(0, 4096)) ? null : undefined;
}

/**
 * Reads the JSON in `netsh winhttp show advproxy` of Windows 11 and Server 2022: from the first `{` to the last `}`
 * (domain 4.7). Null when there is none. Never throws.
 */
export function parseAdvProxy(text: string): InForce | null {
  const [start, end] = [text.indexOf("{"), text.lastIndexOf("}")];
  let json: unknown;
  try {
    json = JSON.parse(text.slice(start, end + 1));
  } catch {
    return null;
  }
  if (start < 0 || typeof json !== "object" || json === null || Array.isArray(json)) return null;
  // Names compare without case: AutoconfigUrl and AutoConfigIsEnabled are spelt differently already.
  const values = new Map(Object.entries(json).map(([key, value]) => [key.toLowerCase(), value]));
  const string = (name: string) => {
    const value = values.get(name);
    return typeof value === "string" ? value : "";
  };
  return inForce({
    autoDetect: values.get("autodetect") === true,
    pacUrl: values.get("autoconfigisenabled") === true ? string("autoconfigurl") : null,
    server: values.get("proxyisenabled") === true ? string("proxy") : null,
    bypass: string("proxybypass"),
    source: "wininet-values",
    dialect: "windows",
  });
}
