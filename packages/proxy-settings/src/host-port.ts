import type { ProxyAddress } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";

/** Removes `user:password@`. The last @ counts: a password may hold one. */
export const withoutUserinfo = (authority: string): string => authority.slice(authority.lastIndexOf("@") + 1);

/**
 * Splits `host[:port]` or `[address][:port]`. Lower case, as hosts compare. Null when it is neither.
 * Not the URL parser: a proxy's name is taken as written, and "1.2" is no address here.
 */
export function splitHostPort(text: string): { host: string; port: number | null } | null {
  const match = /^(\[[0-9a-f:.]{2,45}\]|[^\s:[\]/\\@?#;,=<>"]+)(?::(\d{1,5}))?$/i.exec(text);
  if (!match) return null;
  const port = match[2] === undefined ? null : Number(match[2]);
  const host = (match[1] as string).replace(/^\[|\]$/g, "").toLowerCase();
  if (host.length > limits.hostChars || port === 0 || (port ?? 1) > 65_535) return null;
  return { host, port };
}

/** `host:port` as one writes it, with brackets round an IPv6 address. */
export const formatHostPort = (host: string, port: number): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

const schemePrefix = { http: "", https: "https://", socks4: "socks4://", socks5: "socks5://" } as const;

/** A proxy as one writes it: `px1.contoso.com:8080`, `socks5://10.0.0.1:1080`. */
export const formatProxy = (proxy: ProxyAddress): string =>
  schemePrefix[proxy.scheme] + formatHostPort(proxy.host, proxy.port);
