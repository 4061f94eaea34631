import {
  DataSourceVariable,
  dataLayers,
  EmbeddedScene,
  QueryVariable,
  SceneControlsSpacer,
  SceneDataLayerSet,
  SceneGridItem,
  SceneGridLayout,
  SceneQueryRunner,
  SceneRefreshPicker,
  SceneTimePicker,
  SceneTimeRange,
  SceneVariableSet,
  VariableValueSelectors,
  VizPanel,
} from "@grafana/scenes";

/** As much of a dashboard's JSON as is read here. */
export interface DashboardJson {
  readonly title: string;
  readonly time: { from: string; to: string };
  readonly templating: { list: VariableJson[] };
  readonly annotations: { list: { name: string; target: object }[] };
  readonly panels: PanelJson[];
}
interface VariableJson {
  readonly type: string;
  readonly name: string;
  readonly label: string;
  readonly query: never;
  readonly datasource: never;
  readonly multi: boolean;
  readonly includeAll: boolean;
  readonly allValue?: string;
  readonly refresh: number;
  readonly sort: number;
}
interface PanelJson {
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly gridPos: { x: number; y: number; w: number; h: number };
  readonly targets: never[];
  readonly datasource: never;
  readonly options: object;
  readonly fieldConfig: never;
}

const allOf = { value: ["$__all"], text: ["All"] };

/** A dashboard as Grafana's own library runs it: variables, annotations, queries and panels are those of @grafana/scenes. */
export function sceneOf(json: DashboardJson, time: { from: string; to: string } = json.time): EmbeddedScene {
  const variables = json.templating.list.map((one) =>
    one.type === "datasource"
      ? new DataSourceVariable({ name: one.name, label: one.label, pluginId: one.query })
      : new QueryVariable({
          name: one.name,
          label: one.label,
          datasource: one.datasource,
          query: one.query,
          isMulti: one.multi,
          includeAll: one.includeAll,
          refresh: one.refresh,
          sort: one.sort,
          ...(one.allValue === undefined ? {} : { allValue: one.allValue }),
          ...(one.includeAll ? allOf : {}),
        }),
  );
  const layers = json.annotations.list
    .filter(({ target }) => target !== undefined)
    .map((query) => new dataLayers.AnnotationsDataLayer({ name: query.name, query: query as never, isEnabled: true }));
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({ from: time.from, to: time.to, timeZone: "utc" }),
    $variables: new SceneVariableSet({ variables }),
    $data: new SceneDataLayerSet({ layers }),
    controls: [
      new VariableValueSelectors({}),
      new SceneControlsSpacer(),
      new SceneTimePicker({}),
      new SceneRefreshPicker({}),
    ],
    body: new SceneGridLayout({
      children: json.panels.map(
        ({ type, title, description, gridPos, targets, datasource, options, fieldConfig }) =>
          new SceneGridItem({
            x: gridPos.x,
            y: gridPos.y,
            width: gridPos.w,
            height: gridPos.h,
            body: new VizPanel({
              pluginId: type,
              title,
              description,
              options,
              fieldConfig,
              $data: new SceneQueryRunner({ queries: targets, datasource }),
            }),
          }),
      ),
    }),
  });
}

/** What a test asks of a dashboard: what each panel shows, and to choose values of a variable. */
export function showToTests(scene: EmbeddedScene): void {
  window.panels = () =>
    (scene.state.body as SceneGridLayout).state.children.map((item) => {
      const panel = (item as SceneGridItem).state.body as VizPanel;
      const data = panel.state.$data?.state.data;
      return {
        title: panel.state.title,
        state: data?.state ?? "",
        rows: data?.series[0]?.length ?? 0,
        annotations: data?.annotations?.[0]?.length ?? 0,
      };
    });
  window.choose = (name, values) =>
    (scene.state.$variables?.getByName(name) as QueryVariable | undefined)?.changeValueTo(values, values);
}

declare global {
  interface Window {
    panels?: () => { title: string; state: string; rows: number; annotations: number }[];
    choose?: (variable: string, values: string[]) => void;
  }
}
