import { type DataFrame, FieldType } from "@grafana/data";
import type { Incident } from "@lynceus/protocol/read-api-incidents";
import { rowLinks } from "../links";
import { type Column, tableFrame } from "./fields";

const whole = { unit: "none", decimals: 0, min: 0 };

const sitesOf = ({ sites }: Incident): string => sites.map(({ site }) => site ?? "no site").join(", ");

/** Incidents as rows: one cause is one incident, however many machines it has. */
export function incidentsFrame(refId: string, incidents: readonly Incident[], base: string | null): DataFrame {
  const columns: Column<Incident>[] = [
    {
      name: "number",
      title: "Incident",
      type: FieldType.number,
      of: (row) => row.number,
      config: { unit: "none", decimals: 0 },
      links: rowLinks(base, "Open this incident", "incidents", "number"),
    },
    { name: "state", title: "State", type: FieldType.string, of: (row) => row.ended?.how ?? row.state },
    { name: "urgency", title: "Urgency", type: FieldType.string, of: (row) => row.urgency },
    {
      name: "title",
      title: "Cause",
      type: FieldType.string,
      of: (row) => row.title,
      links: rowLinks(base, "Open this incident", "incidents", "number"),
    },
    { name: "failing", title: "Failing", type: FieldType.number, of: (row) => row.failing, config: whole },
    { name: "silent", title: "Silent", type: FieldType.number, of: (row) => row.silent, config: whole },
    { name: "openedAt", title: "Opened", type: FieldType.time, of: (row) => row.openedAt },
    { name: "sites", title: "Sites", type: FieldType.string, of: sitesOf },
    {
      name: "acknowledged",
      title: "Acknowledged by",
      type: FieldType.string,
      of: (row) => row.acknowledged?.by ?? null,
    },
    { name: "pattern", title: "Pattern", type: FieldType.string, of: (row) => row.pattern },
    { name: "explanation", title: "Explanation", type: FieldType.string, of: (row) => row.explanation },
    { name: "endedAt", title: "Ended", type: FieldType.time, of: (row) => row.endedAt },
    { name: "location", title: "Location", type: FieldType.string, of: (row) => row.location },
    { name: "simulated", title: "Simulated", type: FieldType.boolean, of: (row) => row.simulated },
  ];
  return tableFrame(refId, columns, incidents);
}
