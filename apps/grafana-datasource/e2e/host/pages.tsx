import {
  type AnnotationQuery,
  applyFieldOverrides,
  CoreApp,
  type DataFrame,
  type DataQueryRequest,
  type DataSourceApi,
  type DataSourcePlugin,
  dateTime,
  type PanelData,
} from "@grafana/data";
import { getTemplateSrv } from "@grafana/runtime";
import { Button, useTheme2 } from "@grafana/ui";
import React, { type ComponentType, useEffect, useMemo, useState } from "react";
import type { Observable, Subscription } from "rxjs";
import { TablePanel, TimeSeriesPanel } from "./panels";
import { runRequest } from "./services";

/* The pages of Grafana that use a plug-in's editors, bare. What a test asks of them is put on `window.seen`. */

declare global {
  interface Window {
    seen: Record<string, unknown>;
  }
}
window.seen = {};

/** An editor of the plug-in; its own types stand in the plug-in. */
type Editor = ComponentType<Record<string, unknown>>;

export interface PageProps {
  readonly plugin: DataSourcePlugin<DataSourceApi>;
  readonly api: DataSourceApi;
  readonly uid: string;
  /** Makes the data source anew, with what is stored of it now. */
  readonly reload: () => Promise<DataSourceApi>;
}

/** Settings: what is typed goes to the server on "Save & test", and secrets do not come back. */
export function ConfigPage({ plugin, uid, reload }: PageProps) {
  const [options, setOptions] = useState<object | null>(null);
  const [health, setHealth] = useState<{ status: string; message: string } | null>(null);
  const url = `/api/datasources/uid/${uid}`;
  useEffect(() => {
    fetch(url).then(async (answer) => setOptions(await answer.json()));
  }, [url]);
  if (options === null) return null;
  const Editor = plugin.components.ConfigEditor as unknown as Editor;
  const save = async () => {
    setHealth(null);
    const answer = await fetch(url, { method: "PUT", body: JSON.stringify(options) });
    setOptions(await answer.json());
    setHealth(await (await reload()).testDatasource());
  };
  return (
    <>
      <Editor options={options} onOptionsChange={setOptions} />
      <Button onClick={save}>Save &amp; test</Button>
      {health && (
        <p role="status" data-status={health.status}>
          {health.message}
        </p>
      )}
    </>
  );
}

const plain = (frame: DataFrame) => ({
  refId: frame.refId,
  notices: frame.meta?.notices ?? [],
  fields: frame.fields.map(({ name, type, labels, config, values }) => ({ name, type, labels, config, values })),
});

const range = (hours: number) => {
  const to = dateTime();
  return { from: dateTime(to).subtract(hours, "hours"), to, raw: { from: `now-${hours}h`, to: "now" } };
};

const requestOf = (query: object, hours: number): DataQueryRequest =>
  ({
    requestId: "explore",
    app: CoreApp.Explore,
    interval: "1m",
    intervalMs: 60_000,
    maxDataPoints: 500,
    range: range(hours),
    rangeRaw: range(hours).raw,
    scopedVars: {},
    targets: [query],
    timezone: "utc",
    startTime: 0,
  }) as unknown as DataQueryRequest;

/** An answer as a chart or a table, with what panels add to its fields. */
function Drawing({ data }: { data: PanelData }) {
  const theme = useTheme2();
  const series = applyFieldOverrides({
    data: data.series,
    fieldConfig: { defaults: { color: { mode: "palette-classic" } }, overrides: [] },
    replaceVariables: (text, scopedVars, format) => getTemplateSrv().replace(text, scopedVars, format),
    theme,
    timeZone: "utc",
  });
  const size = { width: window.innerWidth - 60, height: 420, timeZone: "utc" };
  const isTable = series[0]?.meta?.preferredVisualisationType === "table";
  const Panel = (isTable ? TablePanel : TimeSeriesPanel) as unknown as Editor;
  return <Panel data={{ ...data, series }} {...size} />;
}

/** A query editor, and what its query answers. */
export function ExplorePage({ plugin, api }: PageProps) {
  const [query, setQuery] = useState<object>({ refId: "A", ...api.getDefaultQuery?.(CoreApp.Explore) });
  const [data, setData] = useState<PanelData | null>(null);
  const [runs, setRuns] = useState(0);
  useEffect(() => {
    // Each run is asked anew, also where the query is the same.
    void runs;
    const running: Subscription = runRequest(api, requestOf(query, 6)).subscribe((next) => {
      setData(next);
      window.seen.state = next.state;
      window.seen.frames = next.series.map(plain);
      window.seen.error = next.error?.message ?? null;
    });
    return () => running.unsubscribe();
  }, [api, query, runs]);
  window.seen.query = query;
  const Editor = plugin.components.QueryEditor as unknown as Editor;
  return (
    <>
      <Editor
        datasource={api}
        query={query}
        onChange={setQuery}
        onRunQuery={() => setRuns((before) => before + 1)}
        {...(data ? { data } : {})}
      />
      <p>
        {data?.state}, {data?.series[0]?.length ?? 0} rows, {data?.series[0]?.fields.length ?? 0} fields
      </p>
      {data && <Drawing data={data} />}
    </>
  );
}

/** The editor of a variable, and the values that its query gives. */
export function VariablePage({ api }: PageProps) {
  const [query, setQuery] = useState<object>({ refId: "Variable" });
  const { variables } = api;
  const support = variables as unknown as {
    editor: Editor;
    query(request: DataQueryRequest): Observable<{ data: DataFrame[] }>;
  };
  useEffect(() => {
    const running = support.query(requestOf(query, 6)).subscribe(({ data }) => {
      window.seen.values = data[0]?.fields.map(({ values }) => values);
    });
    return () => running.unsubscribe();
  }, [support, query]);
  window.seen.query = query;
  return <support.editor datasource={api} query={query} onChange={setQuery} onRunQuery={() => {}} />;
}

/** The editor of an annotation, and the events that its query gives. */
export function AnnotationPage({ api }: PageProps) {
  const support = api.annotations;
  const [annotation, setAnnotation] = useState<AnnotationQuery>(
    support?.prepareAnnotation?.({ name: "Lynceus", enable: true, iconColor: "blue" }) as AnnotationQuery,
  );
  const target = useMemo(() => support?.prepareQuery?.(annotation), [support, annotation]);
  useEffect(() => {
    if (!target) return;
    const running = runRequest(api, requestOf(target, 48)).subscribe(({ series, state, error }) => {
      window.seen.state = state;
      window.seen.error = error?.message ?? null;
      window.seen.frames = series.map(plain);
    });
    return () => running.unsubscribe();
  }, [api, target]);
  window.seen.query = target;
  const Editor = support?.QueryEditor as unknown as Editor;
  return (
    <Editor
      datasource={api}
      query={target}
      annotation={annotation}
      onChange={(next: never) => setAnnotation({ ...annotation, target: next })}
      onRunQuery={() => {}}
    />
  );
}
