import { isIP } from "node:net";
import type { Fence } from "./context.ts";

const canonical = (host: string) => host.toLowerCase().replace(/\.$/, "");

/**
 * Whether `host` lies inside the fence (domain 5.0 rule 16): equal to a suffix, or below one at a label border.
 * @example isInsideFence("mail.contoso.com", 443, { suffixes: ["contoso.com"], ports: [443] }) // true
 */
export function isInsideFence(host: string, port: number | null, fence: Fence): boolean {
  if (port !== null && !fence.ports.includes(port)) return false;
  const name = canonical(host);
  return fence.suffixes.some((entry) => {
    const suffix = canonical(entry).replace(/^\*?\./, "");
    return suffix !== "" && (name === suffix || (isIP(suffix) === 0 && name.endsWith(`.${suffix}`)));
  });
}
