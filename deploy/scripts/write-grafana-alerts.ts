// Writes deploy/grafana/lynceus-alerts.yaml anew; a test says when that is due.
import { readFileSync, writeFileSync } from "node:fs";
import { toGrafanaAlerts } from "../src/grafana-alerts.ts";

const rules = readFileSync(new URL("../prometheus/lynceus.rules.yml", import.meta.url), "utf8");
writeFileSync(new URL("../grafana/lynceus-alerts.yaml", import.meta.url), toGrafanaAlerts(rules));
