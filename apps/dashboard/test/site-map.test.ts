import fc from "fast-check";
import { expect, test } from "vitest";
import { parseSiteMap, siteMapText } from "../src/lib/site-map-input.ts";

test("a map is one subnet a line with its site, however an address plan writes it", () => {
  expect(parseSiteMap("10.40.0.0/16 Manila\r\n\n10.41.0.0/16\tSão Paulo, north\nfd00::/32;Oslo ")).toEqual({
    problem: null,
    subnets: [
      { cidr: "10.40.0.0/16", site: "Manila" },
      { cidr: "10.41.0.0/16", site: "São Paulo, north" },
      { cidr: "fd00::/32", site: "Oslo" },
    ],
  });
});

test("a line that is none is named by its number, with what a line has to be", () => {
  expect(parseSiteMap("10.40.0.0/16 Manila\n10.41.0.0/16").problem).toBe(
    'Line 2 is "10.41.0.0/16"; a line has a subnet, then a site of 1 to 128 characters, e.g. 10.40.0.0/16 Manila.',
  );
  expect(parseSiteMap("\n".repeat(20_000)).problem).toContain("it may have 20000");
});

test("a map comes back from its text as it was", () => {
  const site = fc.stringMatching(/^[A-Za-zäß][A-Za-zäß ,-]{0,20}[a-z]$/);
  const map = fc.array(fc.record({ cidr: fc.constantFrom("10.0.0.0/8", "fd00::/32"), site }));
  fc.assert(
    fc.property(map, (subnets) => {
      expect(parseSiteMap(siteMapText(subnets)).subnets).toEqual(subnets);
    }),
  );
});
