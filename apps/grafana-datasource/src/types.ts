import type { DataSourceJsonData } from "@grafana/data";
import type { DataQuery } from "@grafana/schema";
import type { CountGroup, TargetMeasure } from "@lynceus/protocol/counts";
import type { FilterField } from "@lynceus/protocol/filter";
import type { ChangeKind } from "@lynceus/protocol/read-api";

/*
 * What a panel asks. Lists may hold variables (`$site`); an empty list, or one that holds `*`, is no restriction. Saved in
 * dashboards, so names and values are API: add, never rename.
 */

/** How many machines were in which state, over time. */
export interface CountsQuery extends DataQuery {
  kind: "counts";
  by: CountGroup;
  /** Values of `countStatuses`; none: failing machines, and by status the four states. */
  status: string[];
  site: string[];
  pattern: string[];
  proxy: string[];
  /** Most series. */
  series: number;
  live: boolean;
}

/** How available targets were, and how fast they answered, over time. */
export interface TargetsQuery extends DataQuery {
  kind: "targets";
  measure: TargetMeasure;
  by: "none" | "target" | "site";
  target: string[];
  site: string[];
  via: "configured" | "direct";
  /** `0.5`, `0.95`; of the latency alone. */
  quantile: string[];
  series: number;
}

/** Machines of now, as a table. */
export interface MachinesQuery extends DataQuery {
  kind: "machines";
  /** In the filter language. */
  q: string;
  /** `name`, `-since`. */
  sort: string;
  limit: number;
  live: boolean;
}

/** How many machines have each value of a field now. */
export interface ValuesQuery extends DataQuery {
  kind: "values";
  field: FilterField;
  q: string;
  live: boolean;
}

/** Incidents, as a table. */
export interface IncidentsQuery extends DataQuery {
  kind: "incidents";
  /** Those that are open now, or all of the panel's span. */
  open: boolean;
  /** With a machine that fits, in the filter language. */
  q: string;
  limit: number;
  live: boolean;
}

/** Causes that failing machines share, as a table. */
export interface CausesQuery extends DataQuery {
  kind: "causes";
  /** Those that hold now, or all of the panel's span. */
  open: boolean;
  site: string[];
  limit: number;
  live: boolean;
}

/** What changed on machines in the panel's span, as a table. */
export interface ChangesQuery extends DataQuery {
  kind: "changes";
  change: ChangeKind[];
  minMachines: number;
  site: string[];
  limit: number;
}

/** Events for annotations. */
export interface EventsQuery extends DataQuery {
  kind: "events";
  what: EventKind[];
  /** Of changes. */
  minMachines: number;
  site: string[];
}
export const eventKinds = ["incidents", "causes", "changes"] as const;
export type EventKind = (typeof eventKinds)[number];

export type LynceusQuery =
  | CountsQuery
  | TargetsQuery
  | MachinesQuery
  | ValuesQuery
  | IncidentsQuery
  | CausesQuery
  | ChangesQuery
  | EventsQuery;
export type QueryKind = LynceusQuery["kind"];

/** What a variable's values are: those of a field of the filter language, or the targets of the policy. */
export interface LynceusVariableQuery extends DataQuery {
  field: FilterField | "target";
  /** Only values that machines of this filter have. */
  q: string;
}

/** What everybody who may use the data source can read. The address is its `url`, the token a secret. */
export interface LynceusOptions extends DataSourceJsonData {
  /** Where the dashboard is, for links; what the collector says when it is empty. */
  dashboardUrl?: string;
  /** Whether panels may follow the live feed. */
  live?: boolean;
  tlsAuthWithCACert?: boolean;
}

/** Never sent back to the browser once it is saved. */
export interface LynceusSecrets {
  apiToken?: string;
  tlsCACert?: string;
}
