import { type DataFrame, FieldType } from "@grafana/data";
import { quoteValue } from "@lynceus/protocol/filter-completion";
import type { FieldValue } from "@lynceus/protocol/series";
import { filterLinks } from "../links";
import { tableFrame } from "./fields";

/** Machines per value of a field. Values that no machine has are left out. */
export function valuesFrame(
  refId: string,
  field: string,
  items: readonly FieldValue[],
  base: string | null,
): DataFrame {
  const term = ({ value }: FieldValue) =>
    `${field}:${value === "none" || value === "unknown" ? value : quoteValue(value)}`;
  return tableFrame(
    refId,
    [
      { name: "q", type: FieldType.string, of: term, hidden: true },
      { name: "value", title: field, type: FieldType.string, of: (item) => item.value, links: filterLinks(base, "q") },
      {
        name: "machines",
        title: "Machines",
        type: FieldType.number,
        of: (item) => item.machines,
        config: { unit: "none", decimals: 0, min: 0 },
        links: filterLinks(base, "q"),
      },
    ],
    items.filter((item) => item.machines !== null),
  );
}
