import {
  type DataQueryRequest,
  type DataSourceApi,
  type DataSourceInstanceSettings,
  type DataSourcePlugin,
  EventBusSrv,
  LoadingState,
  type PanelData,
  type ScopedVars,
  type TypedVariableModel,
  toDataFrame,
} from "@grafana/data";
import {
  type BackendSrv,
  type BackendSrvRequest,
  type DataSourceSrv,
  type FetchResponse,
  setAppEvents,
  setBackendSrv,
  setDataSourceSrv,
  setRunRequest,
  setTemplateSrv,
  type TemplateSrv,
} from "@grafana/runtime";
import { EmbeddedScene, SceneControlsSpacer, type SceneObject, type SceneVariable, sceneGraph } from "@grafana/scenes";
import { catchError, from, map, type Observable, of, scan, startWith } from "rxjs";

/*
 * What Grafana's application gives its packages and does not publish: requests, data sources, variables of the scene in
 * view. As little of it as the packages ask for.
 */

/** Requests as Grafana makes them: an answer that is not 2xx is thrown, with what was read of it. */
async function request<T>(options: BackendSrvRequest): Promise<FetchResponse<T>> {
  const answer = await fetch(options.url, {
    method: options.method ?? "GET",
    ...(options.data === undefined
      ? {}
      : { body: JSON.stringify(options.data), headers: { "content-type": "application/json" } }),
  });
  const text = await answer.text();
  let data: unknown = text;
  try {
    data = text === "" ? {} : JSON.parse(text);
  } catch {
    // Not JSON: the text as it is.
  }
  const { status, statusText, ok, headers, redirected, type, url } = answer;
  if (!ok) throw { status, statusText, data, config: options };
  return { data: data as T, status, statusText, ok, headers, redirected, type, url, config: options };
}

const backend = {
  fetch: <T>(options: BackendSrvRequest): Observable<FetchResponse<T>> => from(request<T>(options)),
  get: async <T>(url: string): Promise<T> => (await request<T>({ url })).data,
};

export interface Instance {
  readonly settings: DataSourceInstanceSettings;
  readonly api: DataSourceApi;
}

/** The one data source, under whatever name it is asked for. */
export function provideServices(instance: () => Instance): void {
  const appEvents = new EventBusSrv();
  setAppEvents(appEvents as never);
  setBackendSrv(backend as unknown as BackendSrv);
  setDataSourceSrv({
    get: async () => instance().api,
    getList: () => [instance().settings],
    getInstanceSettings: () => instance().settings,
    reload: () => {},
  } as unknown as DataSourceSrv);
  setTemplateSrv(templates);
  setRunRequest((api, query, ask) => runRequest(api, query, ask as typeof api.query | undefined));
}

/** The scene whose variables a text without a scene of its own means; one without variables knows what every text may name. */
let scene: SceneObject = new EmbeddedScene({ body: new SceneControlsSpacer() });
export const setScene = (next: SceneObject): void => {
  scene = next;
};

const templates = {
  replace(text = "", scopedVars: ScopedVars = {}, format?: never): string {
    const own = (scopedVars.__sceneObject?.value as { valueOf(): SceneObject } | undefined)?.valueOf();
    return sceneGraph.interpolate(own ?? scene, text, scopedVars, format);
  },
  getVariables(): TypedVariableModel[] {
    const variables: readonly SceneVariable[] = scene.state.$variables?.state.variables ?? [];
    return variables.map((variable) => ({ name: variable.state.name }) as TypedVariableModel);
  },
  containsTemplate: (text?: string) => text?.includes("$") ?? false,
  updateTimeRange: () => {},
} as unknown as TemplateSrv;

/** Answers of a request as a panel sees them: packets of one key replace each other. */
export function runRequest(
  api: DataSourceApi,
  query: DataQueryRequest,
  ask: DataSourceApi["query"] = api.query.bind(api),
): Observable<PanelData> {
  const base: PanelData = { state: LoadingState.Loading, series: [], request: query, timeRange: query.range };
  return from(ask(query)).pipe(
    scan(
      (packets, packet) => ({ ...packets, [packet.key ?? "A"]: packet }),
      {} as Record<string, { data: unknown[]; errors?: unknown[]; state?: LoadingState }>,
    ),
    map((packets): PanelData => {
      const all = Object.values(packets);
      const errors = all.flatMap((packet) => packet.errors ?? []) as NonNullable<PanelData["errors"]>;
      const streaming = all.some((packet) => packet.state === LoadingState.Streaming);
      return {
        ...base,
        state: errors.length > 0 ? LoadingState.Error : streaming ? LoadingState.Streaming : LoadingState.Done,
        series: all.flatMap((packet) => packet.data.map((frame) => toDataFrame(frame))),
        ...(errors[0] ? { errors, error: errors[0] } : {}),
      };
    }),
    catchError((error: Error) => of({ ...base, state: LoadingState.Error, error: { message: error.message } })),
    startWith(base),
  );
}

declare global {
  interface Window {
    System: {
      import(url: string): Promise<{ plugin: DataSourcePlugin<DataSourceApi> }>;
      set(id: string, module: object): void;
    };
  }
}
