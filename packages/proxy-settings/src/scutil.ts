import { type InForce, inForce } from "./effective.ts";
import { formatHostPort } from "./host-port.ts";

/** Bound of lines that are looked at. */
const maxLines = 4096;

/** Values of the outer dictionary: texts, and arrays of texts. Nested dictionaries are passed over. */
export type ScutilValues = ReadonlyMap<string, string | readonly string[]>;

/** Reads the `<dictionary> { … }` that `scutil --proxy` prints (domain 4.10). Never throws; odd lines are skipped. */
export function parseScutilValues(text: string): ScutilValues {
  const values = new Map<string, string | readonly string[]>();
  // Open brackets, innermost last: the array being read, or null for a dictionary.
  const open: (string[] | null)[] = [];
  for (const line of text.split("\n", maxLines)) {
    const trimmed = line.trim();
    if (trimmed === "}") {
      open.pop();
      continue;
    }
    const at = trimmed.indexOf(" : ");
    const key = at < 0 ? "" : trimmed.slice(0, at).trim();
    const value = (at < 0 ? trimmed : trimmed.slice(at + 3)).trim();
    if (value === "<dictionary> {") open.push(null);
    else if (value === "<array> {") {
      const items: string[] = [];
      if (open.length === 1) values.set(key, items);
      open.push(items);
    } else if (key !== "") {
      const items = open.at(-1);
      if (items) items.push(value);
      else if (open.length === 1) values.set(key, value);
    }
  }
  return values;
}

/** The settings in force on macOS. Values stay when their Enable is 0, which is honoured (domain 4.10). */
export function parseScutilProxy(text: string): InForce {
  const values = parseScutilValues(text);
  const one = (key: string) => {
    const value = values.get(key);
    return typeof value === "string" ? value : "";
  };
  const on = (key: string) => one(key) === "1";
  const entry = (prefix: string, name: string) => {
    const host = one(`${name}Proxy`);
    if (!on(`${name}Enable`) || host === "") return "";
    const port = Number(one(`${name}Port`));
    return prefix + (port > 0 ? formatHostPort(host, port) : host);
  };
  const exceptions = values.get("ExceptionsList");
  const server = [entry("http=", "HTTP"), entry("https=", "HTTPS"), entry("socks=socks5://", "SOCKS")]
    .filter((text) => text !== "")
    .join(";");
  return inForce({
    autoDetect: on("ProxyAutoDiscoveryEnable"),
    pacUrl: on("ProxyAutoConfigEnable") ? one("ProxyAutoConfigURLString") : null,
    server,
    bypass: [
      ...(Array.isArray(exceptions) ? exceptions : []),
      ...(on("ExcludeSimpleHostnames") ? ["<local>"] : []),
    ].join(","),
    source: "macos",
    dialect: "unix",
  });
}
