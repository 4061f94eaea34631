import { type InForce, inForce } from "./effective.ts";

/** Names that only this command's JSON has. */
const names = ["proxyisenabled", "autoconfigisenabled"];

/**
 * Reads the JSON in `netsh winhttp show advproxy` of Windows 11 and Server 2022: from the first `{` to the last `}`
 * (domain 4.7). Null when there is none, or none of its names. Never throws.
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
  if (!names.some((name) => values.has(name))) return null;
  const string = (name: string) => {
    const value = values.get(name);
    return typeof value === "string" ? value : "";
  };
  return inForce({
    autoDetect: values.get("autodetect") === true,
    pacUrl: values.get("autoconfigisenabled") === true ? string("autoconfigurl") : null,
    server: values.get("proxyisenabled") === true ? string("proxy") : null,
    bypass: string("proxybypass"),
    source: "file",
    dialect: "windows",
  });
}
