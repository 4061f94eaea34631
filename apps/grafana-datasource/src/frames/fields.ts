import { type DataFrame, type DataLink, type Field, type FieldConfig, FieldType } from "@grafana/data";
import { safeText } from "@lynceus/protocol/present";

/** A column of a table. */
export interface Column<T> {
  readonly name: string;
  readonly type: FieldType;
  readonly of: (row: T) => unknown;
  readonly title?: string;
  readonly links?: DataLink[];
  readonly config?: FieldConfig;
  /** Holds what links need and nobody reads. */
  readonly hidden?: boolean;
}

/** Names of the fields that a table hides: its own way, and that of every other panel. */
const hiddenConfig: FieldConfig = { custom: { hidden: true, hideFrom: { legend: true, tooltip: true, viz: true } } };

/** All that a machine sent is text: what would not show, or would reorder it, is made visible. */
const shown = (value: unknown): unknown => (typeof value === "string" ? safeText(value) : value);

export function tableFrame<T>(refId: string, columns: readonly Column<T>[], rows: readonly T[]): DataFrame {
  const fields = columns.map(
    ({ name, type, of, title, links, config, hidden }): Field => ({
      name,
      type,
      config: {
        ...(title === undefined ? {} : { displayName: title }),
        ...(links && links.length > 0 ? { links } : {}),
        ...(hidden ? hiddenConfig : {}),
        ...(type === FieldType.time ? { unit: "dateTimeAsSystem" } : {}),
        ...config,
      },
      values: rows.map((row) => (type === FieldType.time ? timeOf(of(row)) : shown(of(row)))),
    }),
  );
  return { refId, fields, length: rows.length, meta: { preferredVisualisationType: "table" } };
}

/** Milliseconds of an ISO 8601 time; null where there is none. */
export function timeOf(value: unknown): number | null {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}
