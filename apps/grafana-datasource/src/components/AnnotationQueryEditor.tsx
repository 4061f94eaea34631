import type { QueryEditorProps } from "@grafana/data";
import { Stack } from "@grafana/ui";
import React from "react";
import type { LynceusDataSource } from "../datasource";
import { complete } from "../query";
import { type EventKind, type EventsQuery, eventKinds, type LynceusOptions, type LynceusQuery } from "../types";
import { Count } from "./fields";
import { ListField } from "./ListField";
import { eventOptions, listed, valuesOf } from "./options";

type Props = QueryEditorProps<LynceusDataSource, LynceusQuery, LynceusOptions>;

/** Which events stand on a dashboard's charts. */
export function AnnotationQueryEditor({ query, onChange, datasource }: Props) {
  const events = complete({ ...query, refId: query?.refId ?? "Anno", kind: "events" }) as EventsQuery;
  const set = (change: Partial<EventsQuery>) => onChange({ ...events, ...change });
  const known = (values: string[]): EventKind[] => eventKinds.filter((kind) => values.includes(kind));
  return (
    <Stack wrap="wrap" gap={0.5}>
      <ListField
        label="Events"
        tooltip="What is marked on the charts"
        placeholder="none"
        values={events.what}
        options={listed(eventOptions)}
        onChange={(what) => set({ what: known(what) })}
      />
      <Count
        label="Machines"
        tooltip="Only changes that at least so many machines took"
        value={events.minMachines}
        min={1}
        max={1_000_000}
        onChange={(minMachines) => set({ minMachines })}
      />
      <ListField
        label="Sites"
        tooltip="Only events of machines of these sites"
        placeholder="all"
        values={events.site}
        options={valuesOf(datasource, "site")}
        onChange={(site) => set({ site })}
      />
    </Stack>
  );
}
