import { PanelBuilder as BarGaugeBuilder } from "@grafana/grafana-foundation-sdk/bargauge";
import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  AnnotationQueryBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type DynamicConfigValue,
  type GridPos,
  MappingType,
  type Panel,
  QueryVariableBuilder,
  type ValueMapping,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeSeriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import { complete } from "../src/query";
import type { LynceusQuery, LynceusVariableQuery, QueryKind } from "../src/types";

/* What both dashboards are made of. */

export const pluginType = "lynceus-fleet-datasource";
/** The data source is a variable: a dashboard works with whatever the data source is called. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana replaces it
export const datasource = { type: pluginType, uid: "${datasource}" };

type QueryOf<K extends QueryKind> = Omit<Extract<LynceusQuery, { kind: K }>, "refId" | "kind">;

/** A query of this data source, whole, so that a dashboard means the same in a later version. */
export const ask = <K extends QueryKind>(kind: K, query: Partial<QueryOf<K>>, refId = "A"): Builder<Dataquery> => ({
  build: () => ({ ...complete({ ...query, kind, refId } as never), datasource }) as unknown as Dataquery,
});

export const at = (x: number, y: number, w: number, h: number): GridPos => ({ x, y, w, h });

const legend = () =>
  new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.Table)
    .placement(LegendPlacement.Bottom)
    .showLegend(true)
    .calcs(["lastNotNull", "max"])
    .sortBy("Max")
    .sortDesc(true);
const tooltip = () => new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending);

/** Lines that step: counts of machines, from zero. */
export function chart(
  title: string,
  description: string,
  where: GridPos,
  query: Builder<Dataquery>,
): TimeSeriesBuilder {
  return new TimeSeriesBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .gridPos(where)
    .withTarget(query)
    .lineWidth(2)
    .fillOpacity(0)
    .spanNulls(false)
    .legend(legend())
    .tooltip(tooltip());
}

/** The four states on top of each other: together they are the machines that report. */
export const stacked = (title: string, description: string, where: GridPos, query: Builder<Dataquery>) =>
  chart(title, description, where, query)
    .fillOpacity(60)
    .lineWidth(1)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group("A"));

/** The last value of each series, in figures. */
export const figures = (title: string, description: string, where: GridPos, query: Builder<Dataquery>) =>
  new StatBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .gridPos(where)
    .withTarget(query)
    .graphMode(BigValueGraphMode.Area)
    .colorMode(BigValueColorMode.Value)
    .textMode(BigValueTextMode.ValueAndName);

/** Machines per value, the longest bar first. */
export const bars = (title: string, description: string, where: GridPos, query: Builder<Dataquery>) =>
  new BarGaugeBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .gridPos(where)
    .withTarget(query)
    .decimals(0)
    .min(0);

const colours = { failing: "#E2530F", stale: "#B4831F", "cannot tell": "#AA69B6", healthy: "#1B9AA1" };
const stateColours: ValueMapping = {
  type: MappingType.ValueToText,
  options: Object.fromEntries(Object.entries(colours).map(([text, color], index) => [text, { text, color, index }])),
};

/** Rows, with the state in its colour and columns as wide as what they hold. */
export function rows(
  title: string,
  description: string,
  where: GridPos,
  query: Builder<Dataquery>,
  widths: Readonly<Record<string, number>> = {},
): TableBuilder {
  const table = new TableBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .gridPos(where)
    .withTarget(query)
    .showHeader(true);
  const cell = (type: string): DynamicConfigValue => ({ id: "custom.cellOptions", value: { type } });
  table.overrideByName("State", [{ id: "mappings", value: [stateColours] }, cell("color-text")]);
  for (const [name, value] of Object.entries(widths)) table.overrideByName(name, [{ id: "custom.width", value }]);
  return table;
}

export const theDatasource = () => new DatasourceVariableBuilder("datasource").label("Data source").type(pluginType);

/** A variable whose All restricts nothing, however many values there are. */
export function variable(
  name: string,
  label: string,
  query: Omit<LynceusVariableQuery, "refId">,
  options: { multi: boolean },
): QueryVariableBuilder {
  const made = new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ refId: "Variable", ...query })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc)
    .multi(options.multi)
    .allowCustomValue(true);
  return options.multi
    ? made
        .includeAll(true)
        .allValue("*")
        .current({ selected: true, text: ["All"], value: ["$__all"] })
    : made;
}

/** What happened, across every chart. */
export const events = (site: string[]) =>
  new AnnotationQueryBuilder()
    .name("Incidents and changes")
    .datasource(datasource)
    .enable(true)
    .hide(false)
    .iconColor("#5272DB")
    .target(ask("events", { what: ["incidents", "changes"], minMachines: 5, site }, "Anno"));

/** From one of our dashboards to the other. */
export const siblings = () =>
  new DashboardLinkBuilder("Lynceus")
    .type(DashboardLinkType.Dashboards)
    .tags(["lynceus"])
    .asDropdown(false)
    .includeVars(true)
    .keepTime(true)
    .targetBlank(false);

export type AnyPanel = Builder<Panel>;
