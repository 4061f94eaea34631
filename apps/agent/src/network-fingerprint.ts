import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { NetworkInterfaceInfo } from "node:os";

/**
 * A text that changes when an address, a gateway, a resolver or a watched file does. Reads a few small files of the
 * system and asks nobody: it is taken every few seconds.
 * @param files whose content may change what is observed, such as a settings file.
 * @param more what else the system says of its network.
 */
export function networkFingerprint(
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
  files: readonly string[],
  more = "",
): string {
  const addresses = Object.entries(interfaces)
    .flatMap(([name, list]) =>
      (list ?? []).filter((one) => !one.internal && stays(one)).map((one) => `${name} ${one.cidr}`),
    )
    .sort();
  const seen = files.map((path) => {
    try {
      // The content, not the time: DHCP writes the same resolv.conf again and again.
      return createHash("sha256").update(readFileSync(path)).digest("hex");
    } catch {
      return `${path} absent`;
    }
  });
  return [...addresses, defaultRoutes(), more, ...seen].join("\n");
}

/** Link-local and temporary IPv6 addresses come and go on a network that stays the same. */
const stays = (one: NetworkInterfaceInfo) => one.family === "IPv4";

/** Linux: interface and gateway of the default routes; elsewhere the addresses have to do. */
function defaultRoutes(): string {
  try {
    return readFileSync("/proc/net/route", "utf8")
      .split("\n")
      .map((line) => line.split("\t"))
      .filter((fields) => fields[1] === "00000000")
      .map((fields) => `${fields[0]} ${fields[2]}`)
      .sort()
      .join("\n");
  } catch {
    return "";
  }
}
