/** Bytes of an IPv4 or IPv6 literal (no brackets, no zone), or null. */
export function parseAddress(text: string): number[] | null {
  if (text.length > 45) return null;
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): number[] | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  const bytes = parts.map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

function parseIpv6(text: string): number[] | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const groups = (half: string): number[] | null => {
    if (half === "") return [];
    const bytes: number[] = [];
    const parts = half.split(":");
    for (const [index, part] of parts.entries()) {
      // The last 32 bits may be written as IPv4.
      const v4 = index === parts.length - 1 && part.includes(".") ? parseIpv4(part) : null;
      if (v4) bytes.push(...v4);
      else if (/^[0-9a-f]{1,4}$/i.test(part))
        bytes.push(Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255);
      else return null;
    }
    return bytes;
  };
  const head = groups(halves[0] ?? "");
  const tail = halves.length === 2 ? groups(halves[1] ?? "") : [];
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** Whether a text is an IP literal. */
export const isIP = (text: string): boolean => parseAddress(text) !== null;

/**
 * Whether an address literal lies in a subnet. The short form of macOS, `169.254/16`, is read too. A name is in none:
 * nothing is resolved.
 */
export function matchesCidr(cidr: string, address: string): boolean {
  const bytes = parseAddress(address);
  const [base = "", prefix = "", ...rest] = cidr.split("/");
  if (bytes === null || rest.length > 0 || !/^\d{1,3}$/.test(prefix)) return false;
  const dots = base.split(".").length - 1;
  const full = base.includes(":") || dots > 3 ? base : base + ".0".repeat(3 - dots);
  const network = parseAddress(full);
  const bits = Number(prefix);
  if (network === null || network.length !== bytes.length || bits > bytes.length * 8) return false;
  return network.every((byte, index) => {
    const mask = (0xff00 >> Math.max(0, Math.min(8, bits - index * 8))) & 255;
    return (byte & mask) === ((bytes[index] ?? 0) & mask);
  });
}
