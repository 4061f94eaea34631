import { limits } from "./limits.ts";

/*
 * WWW-Authenticate and Proxy-Authenticate (RFC 9110 11.6.1; domain 7, end). The header may repeat, one value may hold
 * several challenges, and the comma that separates challenges also separates the parameters of one. What decides is how
 * a comma-separated piece begins: `name =` is a parameter of the challenge before it, anything else starts a challenge.
 */

/** One challenge. A token68 after the scheme (an NTLM message, say) is dropped: it never leaves the machine. */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case, values without their quotes. Redact before sending (domain 6.4). */
  readonly params: ReadonlyMap<string, string>;
}

/** Client id of Exchange in a Bearer challenge: the one parameter that identifies it (domain 3.1). */
export const exchangeClientId = "00000002-0000-0ff1-ce00-000000000000";

const schemeChars = 64;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/;

/** Splits at commas that stand outside quoted strings. An unclosed quote runs to the end of the value. */
function splitOutsideQuotes(value: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < value.length; i++) {
    const c = value[i];
    if (quoted && c === "\\") i++;
    else if (c === '"') quoted = !quoted;
    else if (c === "," && !quoted) {
      pieces.push(value.slice(start, i));
      start = i + 1;
    }
  }
  pieces.push(value.slice(start));
  return pieces;
}

/** `name = value` at the start of a piece, or null. A token68 such as `TlRM==` has nothing behind its padding. */
function parseParam(piece: string): { name: string; value: string } | null {
  const name = token.exec(piece)?.[0];
  if (name === undefined) return null;
  const rest = piece.slice(name.length).trimStart();
  if (!rest.startsWith("=")) return null;
  const raw = rest.slice(1).trim();
  if (raw === "" || raw.startsWith("=")) return null;
  if (!raw.startsWith('"')) return { name: name.toLowerCase(), value: token.exec(raw)?.[0] ?? raw };
  const quoted = /^"((?:[^"\\]|\\.)*)/s.exec(raw)?.[1] ?? "";
  return { name: name.toLowerCase(), value: quoted.replace(/\\(.)/gs, "$1") };
}

/**
 * Challenges of all values of the header, in order. Never throws: what is no challenge is left out, as are schemes
 * of more than 64 characters, characters of a value beyond `limits.headerChars`, and challenges beyond
 * `limits.schemes`.
 */
export function parseWwwAuthenticate(values: readonly string[]): Challenge[] {
  const challenges: { scheme: string; params: Map<string, string> }[] = [];
  for (const value of values) {
    // A parameter belongs to a challenge of its own value, never to one of the value before.
    let current: Map<string, string> | null = null;
    for (const untrimmed of splitOutsideQuotes(value.slice(0, limits.headerChars))) {
      const piece = untrimmed.trim();
      const param = parseParam(piece);
      if (param) {
        if (current && !current.has(param.name)) current.set(param.name, param.value);
        continue;
      }
      const scheme = token.exec(piece)?.[0];
      const behind = scheme === undefined ? "" : piece.slice(scheme.length);
      if (scheme === undefined || scheme.length > schemeChars || (behind !== "" && !/^\s/.test(behind))) {
        current = null;
        continue;
      }
      if (challenges.length === limits.schemes) return challenges;
      const params = new Map<string, string>();
      const first = parseParam(behind.trim());
      if (first) params.set(first.name, first.value);
      challenges.push({ scheme: scheme.toLowerCase(), params });
      current = params;
    }
  }
  return challenges;
}

/** Scheme names in order of first offer, each once. */
export function schemesOf(challenges: readonly Challenge[]): string[] {
  return [...new Set(challenges.map((challenge) => challenge.scheme))];
}

/** `client_id` of the first Bearer challenge that has one, else null; cut to nothing when longer than 128 characters. */
export function bearerClientId(challenges: readonly Challenge[]): string | null {
  for (const { scheme, params } of challenges) {
    const id = params.get("client_id");
    if (scheme === "bearer" && id !== undefined && id.length <= 128) return id;
  }
  return null;
}
