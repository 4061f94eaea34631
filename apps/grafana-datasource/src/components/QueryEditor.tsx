import type { QueryEditorProps } from "@grafana/data";
import { FieldValidationMessage, Stack } from "@grafana/ui";
import { seriesLimits } from "@lynceus/protocol/counts";
import { filterFields } from "@lynceus/protocol/filter";
import React, { useCallback, useMemo } from "react";
import type { LynceusDataSource } from "../datasource";
import { asKind, complete, mostRows, problemOf } from "../query";
import type {
  CausesQuery,
  ChangesQuery,
  CountsQuery,
  IncidentsQuery,
  LynceusOptions,
  LynceusQuery,
  MachinesQuery,
  TargetsQuery,
  ValuesQuery,
} from "../types";
import { FilterField } from "./FilterField";
import { Choice, Count, Toggle } from "./fields";
import { ListField } from "./ListField";
import {
  changeOptions,
  countGroupOptions,
  kindOptions,
  listed,
  measureOptions,
  quantileOptions,
  sortOptions,
  statusOptions,
  targetGroupOptions,
  targetsOf,
  valuesOf,
  viaOptions,
} from "./options";

type Props = QueryEditorProps<LynceusDataSource, LynceusQuery, LynceusOptions>;

interface PartProps<Q extends LynceusQuery> {
  readonly query: Q;
  /** Changes some of the query and asks again. */
  readonly set: (change: Partial<Q>) => void;
  readonly datasource: LynceusDataSource;
}

type Setter<Part> = (change: Part) => void;

/** At most so many rows are asked for. */
const Rows = ({ query, set }: { query: { readonly limit: number }; set: Setter<{ limit: number }> }) => (
  <Count
    label="Rows"
    tooltip="At most so many"
    value={query.limit}
    min={1}
    max={mostRows}
    onChange={(limit) => set({ limit })}
  />
);

const Live = ({ query, set }: { query: { readonly live: boolean }; set: Setter<{ live: boolean }> }) => (
  <Toggle
    label="Live"
    tooltip="Follows the collector's live feed while the span ends now"
    value={query.live}
    onChange={(live) => set({ live })}
  />
);

/** Asks for one thing: the kind first, then what that kind needs. Each change is asked at once. */
export function QueryEditor({ query: saved, onChange, onRunQuery, datasource }: Props) {
  const query = useMemo(() => complete(saved), [saved]);
  const put = useCallback(
    (next: LynceusQuery) => {
      onChange(next);
      onRunQuery();
    },
    [onChange, onRunQuery],
  );
  const set = useCallback(
    (change: Partial<LynceusQuery>) => put({ ...query, ...change } as LynceusQuery),
    [put, query],
  );
  const problem = problemOf(query);
  const kind = query.kind === "events" ? "causes" : query.kind;
  return (
    <Stack direction="column" gap={0.5}>
      <Stack wrap="wrap" gap={0.5}>
        <Choice
          label="Show"
          value={kind}
          options={kindOptions}
          width={32}
          onChange={(value) => put(asKind(query, value))}
        />
      </Stack>
      <Part query={query} set={set} datasource={datasource} />
      {problem !== null && !("q" in query) && (
        <div>
          <FieldValidationMessage>{problem}</FieldValidationMessage>
        </div>
      )}
    </Stack>
  );
}

function Part({ query, set, datasource }: PartProps<LynceusQuery>) {
  switch (query.kind) {
    case "counts":
      return <CountsPart query={query} set={set} datasource={datasource} />;
    case "targets":
      return <TargetsPart query={query} set={set} datasource={datasource} />;
    case "machines":
      return <MachinesPart query={query} set={set} datasource={datasource} />;
    case "values":
      return <ValuesPart query={query} set={set} datasource={datasource} />;
    case "incidents":
      return <IncidentsPart query={query} set={set} datasource={datasource} />;
    case "changes":
      return <ChangesPart query={query} set={set} datasource={datasource} />;
    default:
      return (
        <CausesPart query={complete({ ...query, kind: "causes" }) as CausesQuery} set={set} datasource={datasource} />
      );
  }
}

const sitesTooltip = "Only machines of these sites; none chosen: the whole fleet";

function CountsPart({ query, set, datasource }: PartProps<CountsQuery>) {
  return (
    <>
      <Stack wrap="wrap" gap={0.5}>
        <Choice label="Divided by" value={query.by} options={countGroupOptions} onChange={(by) => set({ by })} />
        <ListField
          label="States"
          tooltip="Which machines are counted; none chosen: failing ones, or by state the four states"
          placeholder={query.by === "status" ? "the four states" : "failing"}
          values={query.status}
          options={listed(statusOptions)}
          onChange={(status) => set({ status })}
        />
        <ListField
          label="Sites"
          tooltip={sitesTooltip}
          placeholder="all"
          values={query.site}
          options={valuesOf(datasource, "site")}
          onChange={(site) => set({ site })}
        />
      </Stack>
      <Stack wrap="wrap" gap={0.5}>
        <ListField
          label="Patterns"
          tooltip="Only machines with one of these primary findings, failing or at risk"
          placeholder="all"
          values={query.pattern}
          options={valuesOf(datasource, "primary")}
          onChange={(pattern) => set({ pattern })}
        />
        <ListField
          label="Proxies"
          tooltip="Only machines whose EWS goes this way: host:port, or direct"
          placeholder="all"
          values={query.proxy}
          options={valuesOf(datasource, "route")}
          onChange={(proxy) => set({ proxy })}
        />
        <Count
          label="Series"
          tooltip="At most so many lines; those with most machines"
          value={query.series}
          min={1}
          max={seriesLimits.series}
          onChange={(series) => set({ series })}
        />
        <Live query={query} set={set} />
      </Stack>
    </>
  );
}

function TargetsPart({ query, set, datasource }: PartProps<TargetsQuery>) {
  return (
    <>
      <Stack wrap="wrap" gap={0.5}>
        <Choice
          label="Measure"
          value={query.measure}
          options={measureOptions}
          onChange={(measure) => set({ measure })}
        />
        <Choice label="Divided by" value={query.by} options={targetGroupOptions} onChange={(by) => set({ by })} />
        <Choice label="Route" value={query.via} options={viaOptions} onChange={(via) => set({ via })} />
      </Stack>
      <Stack wrap="wrap" gap={0.5}>
        <ListField
          label="Targets"
          tooltip="Only these targets of the policy"
          placeholder="all"
          values={query.target}
          options={targetsOf(datasource)}
          onChange={(target) => set({ target })}
        />
        <ListField
          label="Sites"
          tooltip={sitesTooltip}
          placeholder="all"
          values={query.site}
          options={valuesOf(datasource, "site")}
          onChange={(site) => set({ site })}
        />
        {query.measure === "latency" && (
          <ListField
            label="Quantiles"
            tooltip="0.95: the time that 95 of 100 good answers did not exceed"
            placeholder="median"
            values={query.quantile}
            options={listed(quantileOptions)}
            onChange={(quantile) => set({ quantile })}
          />
        )}
      </Stack>
    </>
  );
}

function useValues(datasource: LynceusDataSource) {
  return useCallback(
    (field: string, q: string, contains: string) => datasource.fieldValues(field, q, contains),
    [datasource],
  );
}

function MachinesPart({ query, set, datasource }: PartProps<MachinesQuery>) {
  return (
    <>
      <FilterField value={query.q} onChange={(q) => set({ q })} valuesOf={useValues(datasource)} />
      <Stack wrap="wrap" gap={0.5}>
        <Choice label="Order" value={query.sort} options={sortOptions} onChange={(sort) => set({ sort })} />
        <Rows query={query} set={set} />
        <Live query={query} set={set} />
      </Stack>
    </>
  );
}

const valueFields = [
  "site",
  "route",
  "primary",
  "status",
  "severity",
  "agent",
  "os",
  "pac",
  "issuer",
  "tag",
  "verdict",
  "step",
] as const;
const valueFieldOptions = valueFields.map((value) => ({ value, label: value, description: filterFields[value].title }));

function ValuesPart({ query, set, datasource }: PartProps<ValuesQuery>) {
  const field = valueFields.find((one) => one === query.field) ?? "site";
  return (
    <>
      <Stack wrap="wrap" gap={0.5}>
        <Choice
          label="Value of"
          value={field}
          options={valueFieldOptions}
          onChange={(value) => set({ field: value })}
        />
        <Live query={query} set={set} />
      </Stack>
      <FilterField value={query.q} onChange={(q) => set({ q })} valuesOf={useValues(datasource)} />
    </>
  );
}

function IncidentsPart({ query, set, datasource }: PartProps<IncidentsQuery>) {
  return (
    <>
      <FilterField value={query.q} onChange={(q) => set({ q })} valuesOf={useValues(datasource)} />
      <Stack wrap="wrap" gap={0.5}>
        <Toggle
          label="Open only"
          tooltip="Those that are open now; else all of the span that is shown"
          value={query.open}
          onChange={(open) => set({ open })}
        />
        <Rows query={query} set={set} />
        <Live query={query} set={set} />
      </Stack>
    </>
  );
}

function CausesPart({ query, set, datasource }: PartProps<CausesQuery>) {
  return (
    <Stack wrap="wrap" gap={0.5}>
      <Toggle
        label="Open only"
        tooltip="Those that hold now; else all that held in the span that is shown"
        value={query.open}
        onChange={(open) => set({ open })}
      />
      <ListField
        label="Sites"
        tooltip="Only causes with machines of these sites"
        placeholder="all"
        values={query.site}
        options={valuesOf(datasource, "site")}
        onChange={(site) => set({ site })}
      />
      <Rows query={query} set={set} />
      <Live query={query} set={set} />
    </Stack>
  );
}

function ChangesPart({ query, set, datasource }: PartProps<ChangesQuery>) {
  return (
    <Stack wrap="wrap" gap={0.5}>
      <ListField
        label="Kinds"
        tooltip="Only changes of these kinds"
        placeholder="all"
        values={query.change}
        options={listed(changeOptions)}
        onChange={(change) => set({ change: change as ChangesQuery["change"] })}
      />
      <Count
        label="Machines"
        tooltip="Only changes that at least so many machines took"
        value={query.minMachines}
        min={1}
        max={1_000_000}
        onChange={(minMachines) => set({ minMachines })}
      />
      <ListField
        label="Sites"
        tooltip="Only changes that machines of these sites took"
        placeholder="all"
        values={query.site}
        options={valuesOf(datasource, "site")}
        onChange={(site) => set({ site })}
      />
      <Rows query={query} set={set} />
    </Stack>
  );
}
