import { type DataFrame, FieldType } from "@grafana/data";
import type { Cause, FleetChange } from "@lynceus/protocol/read-api";
import { rowLinks } from "../links";
import { type Column, tableFrame } from "./fields";

const whole = { unit: "none", decimals: 0, min: 0 };

/** Shared causes: what failing machines have and healthy ones have not. */
export function causesFrame(refId: string, causes: readonly Cause[], base: string | null): DataFrame {
  const columns: Column<Cause>[] = [
    { name: "id", type: FieldType.string, of: (row) => row.id, hidden: true },
    {
      name: "cause",
      title: "Cause",
      type: FieldType.string,
      of: (row) => row.text,
      links: rowLinks(base, "Open this cause", "causes", "id"),
    },
    { name: "explains", title: "Explains", type: FieldType.number, of: (row) => row.explains, config: whole },
    { name: "of", title: "Of failing", type: FieldType.number, of: (row) => row.of, config: whole },
    {
      name: "healthyWith",
      title: "Healthy share it",
      type: FieldType.number,
      of: (row) => row.healthyWith,
      config: whole,
    },
    {
      name: "failingWithout",
      title: "Do not fit",
      type: FieldType.number,
      of: (row) => row.failingWithout,
      config: whole,
    },
    { name: "confidence", title: "Confidence", type: FieldType.string, of: (row) => row.confidence },
    { name: "location", title: "Location", type: FieldType.string, of: (row) => row.location },
    { name: "change", title: "Change before it", type: FieldType.string, of: (row) => row.change?.text ?? null },
    { name: "firstSeen", title: "First failure", type: FieldType.time, of: (row) => row.firstSeen },
    { name: "since", title: "Named", type: FieldType.time, of: (row) => row.since },
    { name: "clearedAt", title: "Ceased", type: FieldType.time, of: (row) => row.clearedAt },
    { name: "simulated", title: "Simulated", type: FieldType.boolean, of: (row) => row.simulated },
  ];
  return tableFrame(refId, columns, causes);
}

/** The same change on many machines as one row. */
export function changesFrame(refId: string, changes: readonly FleetChange[], base: string | null): DataFrame {
  const columns: Column<FleetChange>[] = [
    { name: "id", type: FieldType.string, of: (row) => row.id, hidden: true },
    { name: "kind", title: "Kind", type: FieldType.string, of: (row) => row.kind },
    {
      name: "change",
      title: "Change",
      type: FieldType.string,
      of: (row) => row.text,
      links: rowLinks(base, "Open this change", "changes", "id"),
    },
    { name: "detail", title: "Detail", type: FieldType.string, of: (row) => row.detail },
    { name: "machines", title: "Machines", type: FieldType.number, of: (row) => row.machines, config: whole },
    { name: "firstAt", title: "First taken", type: FieldType.time, of: (row) => row.firstAt },
    { name: "lastAt", title: "Last taken", type: FieldType.time, of: (row) => row.lastAt },
    { name: "simulated", title: "Simulated", type: FieldType.boolean, of: (row) => row.simulated },
  ];
  return tableFrame(refId, columns, changes);
}
