import { existsSync, readFileSync, readlinkSync } from "node:fs";

const localtime = "/etc/localtime";

/** IANA name in the target of `/etc/localtime`, such as `../usr/share/zoneinfo/Europe/Berlin`; null where it has none. */
export const zoneOfLink = (target: string): string | null =>
  /\/zoneinfo\/(?:posix\/|right\/)?([A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+)*)$/.exec(target)?.[1] ?? null;

function fromFiles(): string | null {
  if (!existsSync(localtime)) return "UTC";
  try {
    const zone = zoneOfLink(readlinkSync(localtime));
    if (zone !== null) return zone;
  } catch {
    // A copy and no link: Debian then keeps the name beside it.
  }
  try {
    return /^[A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+)*$/.exec(readFileSync("/etc/timezone", "utf8").trim())?.[0] ?? null;
  } catch {
    return null;
  }
}

/**
 * Name of the machine's time zone, such as `Europe/Berlin`. The runtime would say it too, and load ICU's data of zones
 * for it, which then stays in memory: 1.4 MB.
 */
export function timeZone(platform: NodeJS.Platform, environment: Readonly<Record<string, string | undefined>>): string {
  const zone = platform === "win32" || environment.TZ ? null : fromFiles();
  return (zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone).slice(0, 64);
}
