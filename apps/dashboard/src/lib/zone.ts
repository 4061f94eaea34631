import { cookies } from "next/headers";

export const zoneCookie = "zone";

/**
 * The viewer's IANA time zone, which the browser leaves in a cookie. Until it has, and for a zone that this server
 * does not know, times are UTC and say so.
 */
export async function viewerZone(): Promise<string> {
  return knownZone((await cookies()).get(zoneCookie)?.value);
}

export function knownZone(name: string | undefined): string {
  if (!name || name.length > 64) return "UTC";
  try {
    return new Intl.DateTimeFormat("en", { timeZone: decodeURIComponent(name) }).resolvedOptions().timeZone;
  } catch {
    return "UTC";
  }
}

/** Short name of a zone at an instant: "CET", "UTC", "GMT+8". */
export function zoneName(zone: string, at: number): string {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "short" }).formatToParts(at);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? zone;
}
