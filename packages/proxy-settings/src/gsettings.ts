import { type InForce, inForce } from "./effective.ts";
import { formatHostPort } from "./host-port.ts";

/** Bound of lines that are looked at. */
const maxLines = 256;

/** Takes one quoted text from the front: `'it\'s' …`. Null when there is none. */
function takeQuoted(text: string): { value: string; rest: string } | null {
  const mark = text[0];
  if (mark !== "'" && mark !== '"') return null;
  let value = "";
  for (let i = 1; i < text.length; i++) {
    const c = text[i] as string;
    if (c === mark) return { value, rest: text.slice(i + 1) };
    if (c === "\\" && i + 1 < text.length) value += text[++i];
    else value += c;
  }
  return null;
}

/** A GVariant as `gsettings` prints it: a text, a number, a switch or a list of texts. Null for anything else. */
export function parseGVariant(text: string): string | number | boolean | string[] | null {
  // `uint32 5`, `@as []`: the type is told where the value does not show it.
  const bare = text.trim().replace(/^(?:@[a-z]{1,8}|u?int(?:16|32|64)|byte) /, "");
  if (bare === "true" || bare === "false") return bare === "true";
  if (/^-?\d{1,15}$/.test(bare)) return Number(bare);
  const quoted = takeQuoted(bare);
  if (quoted) return quoted.rest.trim() === "" ? quoted.value : null;
  if (!bare.startsWith("[")) return null;
  const items: string[] = [];
  let rest = bare.slice(1).trimStart();
  while (!rest.startsWith("]")) {
    const item = takeQuoted(rest);
    if (!item) return null;
    items.push(item.value);
    rest = item.rest.trimStart();
    if (rest.startsWith(",")) rest = rest.slice(1).trimStart();
    else if (!rest.startsWith("]")) return null;
  }
  return rest.trim() === "]" ? items : null;
}

/**
 * Settings of GNOME from the output of `gsettings list-recursively org.gnome.system.proxy` (domain 4.10). Null when it
 * holds no `mode`: that is not GNOME's. Never throws.
 */
export function parseGsettings(text: string): InForce | null {
  const values = new Map<string, ReturnType<typeof parseGVariant>>();
  for (const line of text.split("\n", maxLines)) {
    const match = /^org\.gnome\.system\.proxy(\.[a-z]{1,16})? ([a-z-]{1,64}) (.{1,65536})$/.exec(line.trim());
    if (match) values.set(`${(match[1] ?? "").slice(1)}/${match[2]}`, parseGVariant(match[3] as string));
  }
  const mode = values.get("/mode");
  if (typeof mode !== "string") return null;
  const url = values.get("/autoconfig-url");
  const pacUrl = typeof url === "string" ? url.trim() : "";
  const entry = (prefix: string, schema: string) => {
    const host = values.get(`${schema}/host`);
    const port = values.get(`${schema}/port`);
    if (typeof host !== "string" || host.trim() === "") return "";
    return prefix + (typeof port === "number" && port > 0 ? formatHostPort(host.trim(), port) : host.trim());
  };
  const ignored = values.get("/ignore-hosts");
  return inForce({
    // A script mode without an address is detection.
    autoDetect: mode === "auto" && pacUrl === "",
    pacUrl: mode === "auto" ? pacUrl : null,
    server:
      mode === "manual"
        ? [entry("http=", "http"), entry("https=", "https"), entry("socks=socks5://", "socks")]
            .filter((text) => text !== "")
            .join(";")
        : null,
    bypass: Array.isArray(ignored) ? ignored.join(",") : "",
    source: "gnome",
    dialect: "unix",
  });
}
