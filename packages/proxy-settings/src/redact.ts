import { splitHostPort } from "./host-port.ts";

/*
 * Userinfo and queries of proxy and PAC addresses are removed on the machine (domain 6.4). The texts are not always
 * URLs and may be wrong in any way, so each function would rather lose a part than let a password through.
 */

/** Shown where a part was taken out that could not be told from a secret. */
const removed = "…";

/** A path or UNC name of Windows, in which @ is no userinfo. */
const isWindowsPath = (text: string) => /^(?:[a-z]:[\\/]|\\\\)/i.test(text);

const afterLastAt = (text: string) => text.slice(text.lastIndexOf("@") + 1);

/** Removes userinfo, query and fragment from the URL of a script or proxy. The rest stays as written. */
export function redactProxyUrl(text: string): string {
  const trimmed = text.trim();
  if (isWindowsPath(trimmed)) return trimmed;
  const scheme = /^[a-z][a-z0-9+.-]{0,31}:\/\//i.exec(trimmed)?.[0] ?? "";
  const rest = trimmed.slice(scheme.length);
  const end = rest.search(/[/?#\\]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  const behind = end < 0 ? "" : rest.slice(end);
  const host = afterLastAt(authority).trim();
  if (behind.includes("@")) {
    // A password may hold / ? and #. Which @ ends it cannot be told when the authority has one as well.
    if (authority.includes("@")) return scheme + removed;
    if (host !== "" && splitHostPort(host) === null)
      return scheme + (afterLastAt(behind).split(/[?#]/, 1)[0] ?? "").trim();
  }
  const path = behind.split(/[?#]/, 1)[0] ?? "";
  return (scheme + host + (path.includes("@") ? `/${removed}` : path)).trimEnd();
}

/** Words of a script's result, which stand before an entry and are no part of it. */
const pacWords = new Set(["direct", "proxy", "http", "https", "socks", "socks4", "socks5"]);

/** How an entry visibly begins. Known words only: `Q=` may be a piece of a password. */
const entryStart = /^(?:(?:https?|ftp|socks)=)?(?:(?:https?|socks(?:4a?|5h?)?):\/\/)?/i;

/**
 * Removes userinfo and queries from a list of proxies: a `ProxyServer` value or the result of a script. A password may
 * hold a separator, so what stands before an entry with an @ and could be its beginning goes too.
 */
export function redactProxyList(text: string): string {
  if (!/[@?#]/.test(text)) return text;
  const parts = text.split(/([;\s]+)/);
  let suspect = false;
  // From the end: an @ makes what stands before it suspect, back to where an entry visibly begins.
  for (let i = parts.length - 1; i >= 0; i--) {
    const entry = parts[i] ?? "";
    if (i % 2 === 1 || entry === "") continue;
    if (pacWords.has(entry.toLowerCase())) {
      suspect = false;
      continue;
    }
    const prefix = entryStart.exec(entry)?.[0] ?? "";
    const rest = entry.slice(prefix.length);
    const host = afterLastAt(rest).split(/[/?#]/, 1)[0] ?? "";
    parts[i] = prefix + (suspect || splitHostPort(host) === null ? removed : host);
    suspect = prefix === "" && (suspect || rest.includes("@"));
  }
  return parts.join("");
}
