import type { ProbeSlot } from "@lynceus/protocol/state";
import { parseAddress } from "@lynceus/proxy-settings/ip";
import { within } from "./classify.ts";
import { ofService, type View } from "./view.ts";

/** Hosts of Microsoft's cloud, where a way through the proxy is the normal one. */
const cloudDomains = ["office365.com", "outlook.com", "office.com", "microsoftonline.com", "lync.com"];

export const isCloudHost = (host: string): boolean => cloudDomains.some((domain) => within(host, domain));

/** Domains that are the organisation's own: those of mail and SIP, and what the policy declares besides. */
export function ownDomains({ policy, expectations }: View): string[] {
  return [
    ...expectations.smtpDomains,
    ...expectations.sipDomains,
    ...expectations.organisationDomains,
    ...policy.insideSuffixes,
  ];
}

export const isOwnHost = (host: string, view: View): boolean => ownDomains(view).some((domain) => within(host, domain));

/** Exchange Online's answer for EWS, be it the organisation's only Exchange or the other half of a hybrid one. */
export const onlineAnswer = (view: View): ProbeSlot | null =>
  [view.ews, ...ofService(view, "ews")].find((sighting) => sighting?.configured?.verdict === "exchange-online")
    ?.configured ?? null;

const inRange = (bytes: readonly number[], ...ranges: readonly (readonly [number, number, number])[]): boolean =>
  ranges.some(([first, low, high]) => bytes[0] === first && (bytes[1] ?? -1) >= low && (bytes[1] ?? -1) <= high);

/** Whether an address literal belongs to the Internet at large; null for what is no address. */
export function isPublicAddress(text: string): boolean | null {
  const bytes = parseAddress(text);
  if (bytes === null) return null;
  if (bytes.length === 4)
    return !inRange(
      bytes,
      [0, 0, 255],
      [10, 0, 255],
      [100, 64, 127],
      [127, 0, 255],
      [169, 254, 254],
      [172, 16, 31],
      [192, 168, 168],
    );
  // Of IPv6 only 2000::/3 is routed; an IPv4 address inside one is judged as such.
  if (bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255)
    return isPublicAddress(bytes.slice(12).join("."));
  return ((bytes[0] ?? 0) & 0xe0) === 0x20;
}

const hostPart = (address: string): string => {
  try {
    return new URL(address).hostname.replace(/^\[|\]$/g, "").toLowerCase();
  } catch {
    return "";
  }
};

/** Host of a URL, lower case, IPv6 without brackets; null for what is no URL. */
export const urlHost = (address: string): string | null => hostPart(address) || null;
