import type { LegacySettings } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import { fromLegacy, type InForce } from "./effective.ts";
import { parseProxyServer } from "./proxy-server.ts";
import { redactProxyList, redactProxyUrl } from "./redact.ts";

/** A given configuration, or one line that says the value, the rule and an example. */
export type InternetSettings =
  | { readonly ok: true; readonly legacy: LegacySettings; readonly inForce: InForce }
  | { readonly ok: false; readonly message: string };

const example = '{"ProxyEnable": 1, "ProxyServer": "proxy.contoso.com:8080", "ProxyOverride": "*.contoso.com;<local>"}';

const switches = ["AutoDetect", "ProxyEnable"] as const;
const texts = {
  AutoConfigURL: limits.urlChars,
  ProxyServer: limits.listTextChars,
  ProxyOverride: limits.listTextChars,
};
const names = [...switches, ...Object.keys(texts)];

const refuse = (message: string): InternetSettings => ({ ok: false, message });

/** A value as it may be shown in an error: short, and without what may be a password. */
const shown = (value: unknown): string => {
  const text =
    typeof value === "string" ? redactProxyList(redactProxyUrl(value)) : (JSON.stringify(value) ?? "nothing");
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

/**
 * Reads the file of `--proxy-settings`: a JSON object with values of Windows' Internet Settings key, to examine a given
 * configuration (domain 4.1). Names compare without case, as in the registry. What is absent is off, `AutoDetect` too:
 * the file is the whole configuration. Never throws.
 */
export function parseInternetSettings(json: string): InternetSettings {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json.replace(/^\uFEFF/, ""));
  } catch {
    return refuse(`the proxy settings are no JSON; give one object, such as ${example}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    return refuse(`the proxy settings are ${shown(parsed)}; give one JSON object, such as ${example}`);

  const legacy: LegacySettings = {
    ProxyEnable: null,
    ProxyServer: null,
    ProxyOverride: null,
    AutoConfigURL: null,
    AutoDetect: null,
  };
  for (const [key, value] of Object.entries(parsed)) {
    const name = names.find((known) => known.toLowerCase() === key.toLowerCase());
    if (name === undefined)
      return refuse(`"${key.slice(0, 60)}" is no known value; use ${names.join(", ")}, such as ${example}`);
    if (value === null) continue;
    if (name === "AutoDetect" || name === "ProxyEnable") {
      if (value !== 0 && value !== 1 && value !== true && value !== false)
        return refuse(`${name} is ${shown(value)}; it is 0 or 1, such as {"${name}": 1}`);
      legacy[name] = Number(value);
      continue;
    }
    const textName = name as keyof typeof texts;
    if (typeof value !== "string") return refuse(`${name} is ${shown(value)}; it is a text, such as ${example}`);
    if (value.length > texts[textName])
      return refuse(`${name} has ${value.length} characters; at most ${texts[textName]}, such as ${example}`);
    legacy[textName] = value;
  }
  return validate(legacy);
}

function validate(legacy: LegacySettings): InternetSettings {
  const url = legacy.AutoConfigURL?.trim() ?? "";
  // file:// and paths are let through: that they do not work everywhere is a finding, not a mistake of the file.
  if (url !== "" && !/^(?:[a-z][a-z0-9+.-]{0,31}:\/\/|[a-z]:\\|\\\\)/i.test(url))
    return refuse(
      `AutoConfigURL is "${shown(url)}"; it is the address of a script, such as {"AutoConfigURL": "http://pac.contoso.com/proxy.pac"}`,
    );
  const { skipped } = parseProxyServer(legacy.ProxyServer ?? "");
  if (skipped.length > 0)
    return refuse(
      `ProxyServer holds "${shown(skipped[0])}"; entries are [scheme=]host[:port] separated by ";", such as "http=px1.contoso.com:8080;https=px2.contoso.com:8443"`,
    );
  return { ok: true, legacy, inForce: fromLegacy(legacy, "file", false) };
}
