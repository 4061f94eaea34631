import type { SiteSubnet } from "@lynceus/db/sites";

/** Lines of a map at most: a large company has a few thousand subnets. */
const mostLines = 20_000;
const mostSiteChars = 128;

/** The map as it is edited: one subnet a line, "10.40.0.0/16 Manila". */
export const siteMapText = (subnets: readonly SiteSubnet[]): string =>
  subnets.map(({ cidr, site }) => `${cidr} ${site}`).join("\n");

/** Reads it back. Between subnet and site stand spaces, a tab, a comma or a semicolon; empty lines are left out. */
export function parseSiteMap(text: string): { subnets: SiteSubnet[]; problem: string | null } {
  const lines = text.split(/\r?\n/);
  if (lines.length > mostLines)
    return { subnets: [], problem: `The map has ${lines.length} lines; it may have ${mostLines}.` };
  const subnets: SiteSubnet[] = [];
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const [, cidr = "", site = ""] = /^\s*([^\s,;]+)[\s,;]+(.+?)\s*$/.exec(line) ?? [];
    if (cidr === "" || site === "" || site.length > mostSiteChars)
      return {
        subnets: [],
        problem: `Line ${i + 1} is "${line.slice(0, 60)}"; a line has a subnet, then a site of 1 to ${mostSiteChars} characters, e.g. 10.40.0.0/16 Manila.`,
      };
    subnets.push({ cidr, site });
  }
  return { subnets, problem: null };
}
