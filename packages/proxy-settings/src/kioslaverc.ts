import { type InForce, inForce } from "./effective.ts";

/** `ProxyType` of KDE (domain 4.10). */
const types = { none: "0", manual: "1", script: "2", detect: "3", environment: "4" } as const;

const maxLines = 4096;

/** Values of the `[Proxy Settings]` group. Names may carry flags and languages in brackets, `NoProxyFor[$e]`. */
function readGroup(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  let inside = false;
  for (const line of text.split("\n", maxLines)) {
    const trimmed = line.trim();
    if (trimmed.startsWith("[")) inside = trimmed.startsWith("[Proxy Settings]");
    const at = trimmed.indexOf("=");
    if (inside && at > 0)
      values.set((trimmed.slice(0, at).split("[", 1)[0] ?? "").trim(), trimmed.slice(at + 1).trim());
  }
  return values;
}

/** `http://host port` or `http://host:port` as an entry of a list. */
const entry = (prefix: string, value: string | undefined): string => {
  const [address = "", port] = value?.trim().split(/\s+/, 2) ?? [];
  if (address === "") return "";
  return prefix + (port && /^\d{1,5}$/.test(port) ? `${address.replace(/\/$/, "")}:${port}` : address);
};

/**
 * Settings of KDE from `~/.config/kioslaverc` (domain 4.10). Null when it has none, or hands on to the environment.
 * A reversed exception list (only these through the proxy) is read as no list: it cannot be said in ours. Never throws.
 */
export function parseKioslaverc(text: string): InForce | null {
  const values = readGroup(text);
  const type = values.get("ProxyType");
  if (type === undefined || type === types.environment) return null;
  return inForce({
    autoDetect: type === types.detect,
    pacUrl: type === types.script ? (values.get("Proxy Config Script") ?? null) : null,
    server:
      type === types.manual
        ? [
            entry("http=", values.get("httpProxy")),
            entry("https=", values.get("httpsProxy")),
            entry("socks=", values.get("socksProxy")),
          ]
            .filter((item) => item !== "")
            .join(";")
        : null,
    bypass: values.get("ReversedException") === "true" ? "" : (values.get("NoProxyFor") ?? ""),
    source: "kde",
    dialect: "unix",
  });
}
