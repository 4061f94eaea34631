import type { FleetCell } from "@lynceus/db/fleet-cells";
import type { LastCount } from "@lynceus/db/samples";
import { type OpenMetricsContentType, Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { createFleetGauges } from "../src/metrics/fleet-gauges.ts";

const cell = (change: Partial<FleetCell>): FleetCell => ({
  site: null,
  status: "healthy",
  atRisk: false,
  pattern: null,
  machines: 1,
  simulated: 0,
  ...change,
});
const failing = { status: "failing", pattern: "proxy-auth-required" } as const;
const cells = [
  cell({ site: "Berlin", machines: 10 }),
  cell({ site: "Manila", machines: 9, simulated: 2 }),
  cell({ site: "Manila", machines: 6, ...failing }),
  cell({ site: "Bern", machines: 3, atRisk: true, pattern: "ews-slow" }),
  cell({ site: "Bern", ...failing }),
  cell({ site: 'Lab "7"\n', machines: 3 }),
  cell({ site: 'Lab "7"\n', ...failing }),
  cell({ site: "Bern", status: "stale", pattern: "proxy-auth-required" }),
  cell({ machines: 4 }),
];
const counted: LastCount = { at: new Date("2026-03-01T10:00:00Z"), agents: { "1.2.0": 30, "1.1.0": 2, "": 1 } };

async function shown(topSites: number, of: readonly FleetCell[] = cells, count: LastCount | null = counted) {
  const registry = new Registry<OpenMetricsContentType>();
  createFleetGauges(registry, { topSites }).show(of, count);
  return (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

describe("gauges of the fleet", () => {
  it("count every machine once by its status, real and simulated ones apart", async () => {
    const lines = await shown(2);
    expect(lines).toContain('lynceus_machines{status="healthy",simulated="false"} 27');
    expect(lines).toContain('lynceus_machines{status="healthy",simulated="true"} 2');
    expect(lines).toContain('lynceus_machines{status="failing",simulated="false"} 8');
    expect(lines).toContain('lynceus_machines{status="at-risk",simulated="false"} 3');
    expect(lines).toContain('lynceus_machines{status="signed-off",simulated="false"} 0');
  });

  it("give the largest sites lines of their own and add the rest up", async () => {
    const lines = await shown(2);
    expect(lines).toContain('lynceus_site_machines{site="Berlin",status="healthy",simulated="false"} 10');
    expect(lines).toContain('lynceus_site_machines{site="Manila",status="failing",simulated="false"} 6');
    expect(lines).toContain('lynceus_site_machines{site="other",status="failing",simulated="false"} 2');
    expect(lines).toContain(
      'lynceus_site_pattern_machines{site="other",pattern="proxy-auth-required",simulated="false"} 2',
    );
    expect(lines.some((line) => line.includes("Bern"))).toBe(false);
  });

  it("have no more lines the more sites there are", async () => {
    const many = Array.from({ length: 5_000 }, (_, i) =>
      cell({ site: `S${i}`, machines: i, atRisk: true, pattern: "ews-slow" }),
    );
    const lines = await shown(10, many);
    expect(lines.filter((line) => line.startsWith("lynceus_site_machines")).length).toBe(11 * 2);
    expect(lines.filter((line) => line.startsWith("lynceus_site_pattern_machines")).length).toBe(11);
  });

  it("add a site that is really called other to the others", async () => {
    const lines = await shown(1, [cell({ site: "other", machines: 5 }), cell({ site: "Berlin", machines: 9 })]);
    expect(lines).toContain('lynceus_site_machines{site="other",status="healthy",simulated="false"} 5');
    expect(await shown(0, [cell({ site: "other", machines: 5 }), cell({ site: "Berlin", machines: 9 })])).toContain(
      'lynceus_site_machines{site="other",status="healthy",simulated="false"} 14',
    );
  });

  it("leave out the last finding of a machine that is silent", async () => {
    expect(await shown(9)).toContain('lynceus_pattern_machines{pattern="proxy-auth-required",simulated="false"} 8');
  });

  it("keep a hostile name one label value", async () => {
    expect(await shown(9)).toContain(
      'lynceus_site_machines{site="Lab \\"7\\"\\n",status="healthy",simulated="false"} 3',
    );
  });

  it("count agents by version, unknown ones too, and say when", async () => {
    const lines = await shown(0);
    expect(lines).toContain('lynceus_agents{version="1.2.0"} 30');
    expect(lines).toContain('lynceus_agents{version="unknown"} 1');
    expect(lines).toContain(`lynceus_fleet_counted_timestamp_seconds ${counted.at.getTime() / 1000}`);
    expect(await shown(0, [], null)).toContain("lynceus_fleet_counted_timestamp_seconds 0");
  });
});
