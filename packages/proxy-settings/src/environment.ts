import { type InForce, inForce } from "./effective.ts";

/** A lower-case variable wins, also when it is empty; upper case counts where there is none (domain 4.10). */
const read = (env: Readonly<Record<string, string | undefined>>, name: string): string | undefined =>
  env[name] ?? env[name.toUpperCase()];

/** The value as an entry of a unix ProxyServer list: what follows the first space is no proxy. */
const entry = (prefix: string, value: string | undefined): string => {
  const proxy = value?.trim().split(/[;\s]/, 1)[0] ?? "";
  return proxy === "" ? "" : prefix + proxy;
};

/**
 * Settings of `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, or null when none of the first three is set.
 * Never throws; what is no proxy is skipped when the route is resolved.
 */
export function environmentSettings(env: Readonly<Record<string, string | undefined>>): InForce | null {
  const server = [
    entry("http=", read(env, "http_proxy")),
    entry("https=", read(env, "https_proxy")),
    entry("", read(env, "all_proxy")),
  ]
    .filter((text) => text !== "")
    .join(";");
  if (server === "") return null;
  return inForce({
    autoDetect: false,
    pacUrl: null,
    server,
    bypass: read(env, "no_proxy") ?? "",
    source: "environment",
    dialect: "unix",
  });
}
