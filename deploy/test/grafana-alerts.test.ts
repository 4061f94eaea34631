import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { prometheusUid, toGrafanaAlerts } from "../src/grafana-alerts.ts";
import { inDeploy } from "./support/program.ts";

const duration = z.string().regex(/^\d+(s|m|h)$/);
const range = z.strictObject({ from: z.number(), to: z.number() });

/**
 * What Grafana's documentation of file provisioning says of alert rules, closed, so that a field it does not name fails. A
 * running Grafana has the last word; there is none here.
 */
const provisioningSchema = z.strictObject({
  apiVersion: z.literal(1),
  groups: z.array(
    z.strictObject({
      orgId: z.number().int(),
      name: z.string().min(1),
      folder: z.string().min(1),
      interval: duration,
      rules: z
        .array(
          z.strictObject({
            uid: z.string().regex(/^[a-zA-Z0-9_-]{1,40}$/),
            title: z.string().min(1).max(190),
            condition: z.string(),
            data: z.array(
              z.strictObject({
                refId: z.string(),
                relativeTimeRange: range,
                datasourceUid: z.string(),
                model: z.looseObject({ refId: z.string() }),
              }),
            ),
            noDataState: z.enum(["Alerting", "OK", "NoData", "KeepLast"]),
            execErrState: z.enum(["Alerting", "Error", "OK", "KeepLast"]),
            for: duration,
            annotations: z.record(z.string(), z.string()),
            // Grafana replaces $NAME in labels by the environment's.
            labels: z.record(z.string(), z.string().regex(/^[^$]*$/)),
            isPaused: z.boolean(),
          }),
        )
        .min(1),
    }),
  ),
});

const read = (file: string) => readFileSync(inDeploy(file), "utf8");
const rules = read("prometheus/lynceus.rules.yml");
const written = read("grafana/lynceus-alerts.yaml");

describe("alert rules for Grafana", () => {
  it("are those of Prometheus, written anew after each change: npm run -w deploy write:grafana-alerts", () => {
    expect(written).toBe(toGrafanaAlerts(rules));
  });

  it("have the shape that Grafana's documentation gives, with unique ids", () => {
    const { groups } = provisioningSchema.parse(parse(written));
    const all = groups.flatMap((group) => group.rules);
    expect(new Set(all.map(({ uid }) => uid)).size).toBe(all.length);
    for (const rule of all) {
      expect(rule.data.map(({ refId }) => refId)).toContain(rule.condition);
      expect(rule.data[0]?.datasourceUid).toBe(prometheusUid);
    }
    const alerts = parse(rules).groups.flatMap((group: { rules: { alert?: string }[] }) =>
      group.rules.flatMap(({ alert }) => (alert ? [alert] : [])),
    );
    expect(all.length).toBe(alerts.length);
  });

  it("keep the value as Grafana keeps it, and no variable that Grafana does not have", () => {
    expect(written).not.toMatch(/\$value\b(?!s)/);
    expect(written).toContain("{{ $values.A.Value }} machines of site {{ $labels.site }} fail");
  });

  it("ask the data source that the example provisions", () => {
    expect(parse(read("grafana/prometheus-datasource.yaml")).datasources[0]).toMatchObject({
      uid: prometheusUid,
      type: "prometheus",
    });
  });
});
