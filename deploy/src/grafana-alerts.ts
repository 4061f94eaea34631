import { parse, stringify } from "yaml";
import * as z from "zod";

/*
 * The alerting rules of prometheus/lynceus.rules.yml as Grafana provisions them on its own Prometheus data source, so that
 * Grafana Alerting, and not Prometheus, tells of them. One source: the two never differ.
 */

const ruleFileSchema = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.object({
          alert: z.string().optional(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.record(z.string(), z.string()).default({}),
          annotations: z.record(z.string(), z.string()).default({}),
        }),
      ),
    }),
  ),
});

/** Grafana's own name for its expressions. */
const expressions = "__expr__";
/** deploy/grafana/prometheus-datasource.yaml gives the data source this uid. */
export const prometheusUid = "lynceus-prometheus";

/** Grafana keeps an annotation's value in `$values`, by the letter of its query. */
const annotation = (text: string) => text.replaceAll("$value ", "$values.A.Value ");

/** @example uidOf("LynceusSiteFails") === "lynceus-site-fails"; Grafana takes at most 40 characters */
const uidOf = (alert: string) => alert.replace(/(?!^)([A-Z])/g, "-$1").toLowerCase();

/** "LynceusSiteFails" → "Lynceus: site fails" */
const titleOf = (alert: string) =>
  `Lynceus: ${uidOf(alert)
    .replace(/^lynceus-/, "")
    .replaceAll("-", " ")}`;

/** The text of a provisioning file, from the text of a Prometheus rule file. Recording rules are left out: Prometheus keeps them. */
export function toGrafanaAlerts(ruleFile: string): string {
  const { groups } = ruleFileSchema.parse(parse(ruleFile));
  const alerting = groups
    .map(({ name, rules }) => ({ name, rules: rules.filter((rule) => rule.alert !== undefined) }))
    .filter(({ rules }) => rules.length > 0);
  const document = {
    apiVersion: 1,
    groups: alerting.map(({ name, rules }) => ({
      orgId: 1,
      name,
      folder: "Lynceus",
      interval: "1m",
      rules: rules.map((rule) => ({
        uid: uidOf(rule.alert ?? ""),
        title: titleOf(rule.alert ?? ""),
        // What the rule's own comparison lets through exists, whatever its value is.
        condition: "B",
        data: [
          {
            refId: "A",
            relativeTimeRange: { from: 600, to: 0 },
            datasourceUid: prometheusUid,
            model: {
              refId: "A",
              expr: rule.expr,
              instant: true,
              range: false,
              intervalMs: 1000,
              maxDataPoints: 43_200,
            },
          },
          {
            refId: "B",
            relativeTimeRange: { from: 0, to: 0 },
            datasourceUid: expressions,
            model: {
              refId: "B",
              type: "math",
              expression: "is_number($A)",
              datasource: { type: expressions, uid: expressions },
              intervalMs: 1000,
              maxDataPoints: 43_200,
            },
          },
        ],
        // No series: nothing is wrong. Prometheus not reached: Grafana says so.
        noDataState: "OK",
        execErrState: "Error",
        for: rule.for ?? "0s",
        annotations: Object.fromEntries(Object.entries(rule.annotations).map(([key, text]) => [key, annotation(text)])),
        labels: rule.labels,
        isPaused: false,
      })),
    })),
  };
  return `# Written by npm run -w deploy write:grafana-alerts from deploy/prometheus/lynceus.rules.yml: change that.\n${stringify(document, { lineWidth: 0 })}`;
}
