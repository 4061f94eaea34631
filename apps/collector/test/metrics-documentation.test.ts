import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createMetrics } from "../src/metrics/metrics.ts";

it("every metric stands in docs/metrics.md with its type and labels, and no other does", async () => {
  const { registry } = createMetrics({ version: "1.0.0", topSites: 1 });
  const text = await registry.metrics();
  const real = [...text.matchAll(/^# TYPE (lynceus_\w+) (\w+)$/gm)].map(([, name, type]) => `${name} ${type}`);
  const page = readFileSync(new URL("../../../docs/metrics.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(lynceus_\w+)` \| (\w+) \| ([^|]*)\|/gm)];
  expect(rows.map(([, name, type]) => `${name} ${type}`).sort()).toEqual(real.sort());
  for (const [, name = "", , labels = ""] of rows) {
    const metric = registry.getMetricsAsArray().find((one) => one.name === name);
    expect([name, (metric as { labelNames?: readonly string[] } | undefined)?.labelNames]).toEqual([
      name,
      labels.trim() === "" ? [] : labels.trim().split(", "),
    ]);
  }
});
