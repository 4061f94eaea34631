import {
  FieldConfigProperty,
  getFieldDisplayValues,
  type PanelData,
  PanelPlugin,
  type PanelProps,
  standardFieldConfigEditorRegistry,
} from "@grafana/data";
import { setPluginImportUtils } from "@grafana/runtime";
import {
  BarGauge,
  BigValue,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  LegendDisplayMode,
  type LegendPlacement,
  Table,
  TimeSeries,
  useTheme2,
  VizRepeater,
} from "@grafana/ui";
import React from "react";

/*
 * Panels of the kinds that the dashboards name, from what @grafana/ui publishes of them: the frames are drawn by Grafana's own
 * charts and tables. Grafana's application has more in each.
 */

const empty = ({ series }: PanelData) => series.every((frame) => frame.length === 0);
const Nothing = () => <div style={{ padding: 16, opacity: 0.7 }}>No data</div>;

/** Spans of annotations as bars under the axis, and moments as marks. */
function Marks({ data, width }: { data: PanelData; width: number }) {
  const theme = useTheme2();
  const { from, to } = data.timeRange;
  const at = (time: number) => ((time - from.valueOf()) / (to.valueOf() - from.valueOf())) * (width - 60) + 45;
  const marks = (data.annotations ?? []).flatMap((frame) => {
    const values = (name: string) => frame.fields.find((field) => field.name === name)?.values ?? [];
    return values("time").map((time: number, i: number) => ({
      id: String(values("id")[i]),
      left: Math.max(45, at(time)),
      right: Math.min(width - 15, at(values("timeEnd")[i] ?? time)),
    }));
  });
  return (
    <div
      data-testid="annotations"
      data-count={marks.length}
      style={{ position: "absolute", bottom: 0, left: 0, height: 4 }}
    >
      {marks.map(({ id, left, right }) => (
        <div
          key={id}
          style={{
            position: "absolute",
            left,
            width: Math.max(4, right - left),
            height: 4,
            opacity: 0.7,
            background: theme.colors.primary.main,
          }}
        />
      ))}
    </div>
  );
}

export function TimeSeriesPanel({ data, width, height, timeZone }: PanelProps) {
  if (empty(data) || width < 50) return <Nothing />;
  const legend = {
    displayMode: LegendDisplayMode.List,
    placement: "bottom" as LegendPlacement,
    showLegend: true,
    calcs: ["lastNotNull"],
  };
  return (
    <div style={{ position: "relative" }}>
      <TimeSeries
        frames={data.series}
        structureRev={data.structureRev}
        timeRange={data.timeRange}
        timeZone={timeZone}
        width={width}
        height={height}
        legend={legend}
        options={{}}
      />
      <Marks data={data} width={width} />
    </div>
  );
}

export function TablePanel({ data, width, height }: PanelProps) {
  const [frame] = data.series;
  return frame && frame.length > 0 ? <Table data={frame} width={width} height={height} /> : <Nothing />;
}

const displayValues = (
  { data, fieldConfig, replaceVariables, timeZone }: PanelProps,
  theme: ReturnType<typeof useTheme2>,
) =>
  getFieldDisplayValues({
    fieldConfig,
    reduceOptions: {
      calcs: ["lastNotNull"],
      values: data.series.some((frame) => frame.meta?.preferredVisualisationType === "table"),
    },
    replaceVariables,
    theme,
    data: data.series,
    timeZone,
    sparkline: true,
  });

function StatPanel(props: PanelProps) {
  const theme = useTheme2();
  const { width, height } = props;
  return (
    <VizRepeater
      source={props.data}
      width={width}
      height={height}
      orientation={"auto" as never}
      renderCounter={props.renderCounter}
      getValues={() => displayValues(props, theme)}
      renderValue={({ value, width: w, height: h }) => (
        <BigValue
          value={value.display}
          sparkline={value.sparkline}
          colorMode={BigValueColorMode.Value}
          graphMode={BigValueGraphMode.Area}
          textMode={BigValueTextMode.ValueAndName}
          theme={theme}
          width={w}
          height={h}
        />
      )}
    />
  );
}

function BarGaugePanel(props: PanelProps) {
  const theme = useTheme2();
  const [frame] = props.data.series;
  const names: string[] = frame?.fields.find((field) => field.name === "value")?.values ?? [];
  const field = frame?.fields.find((one) => one.name === "machines");
  if (!field || names.length === 0) return <Nothing />;
  const most = Math.max(...field.values);
  return (
    <div style={{ overflow: "auto", height: props.height }}>
      {names.map((name, i) => (
        <BarGauge
          key={name}
          theme={theme}
          width={props.width}
          height={34}
          orientation={"horizontal" as never}
          displayMode={"basic" as never}
          field={{ ...field.config, min: 0, max: most }}
          value={{
            ...(field.display?.(field.values[i]) ?? { text: String(field.values[i]), numeric: field.values[i] }),
            title: name,
          }}
        />
      ))}
    </div>
  );
}

/** What every panel's fields have; Grafana's application registers it with editors that nobody needs here. */
function provideStandardOptions(): void {
  const paths = [
    "displayName",
    "unit",
    "min",
    "max",
    "decimals",
    "thresholds",
    "mappings",
    "noValue",
    "links",
    "color",
    "filterable",
  ];
  standardFieldConfigEditorRegistry.setInit(() =>
    paths.map(
      (id) =>
        ({
          id,
          path: id,
          name: id,
          editor: () => null,
          override: () => null,
          process: (value: unknown) => value,
          shouldApply: () => true,
        }) as never,
    ),
  );
}

const custom = (plugin: PanelPlugin) =>
  plugin.useFieldConfig({
    standardOptions: { [FieldConfigProperty.Color]: { defaultValue: { mode: "palette-classic" } } },
    useCustomConfig: (builder) => {
      for (const path of [
        "lineWidth",
        "fillOpacity",
        "lineInterpolation",
        "spanNulls",
        "stacking",
        "hideFrom",
        "hidden",
        "width",
        "cellOptions",
        "showPoints",
      ])
        builder.addCustomEditor({
          id: path,
          path,
          name: path,
          editor: () => null,
          override: () => null,
          process: (value: unknown) => value,
          shouldApply: () => true,
        } as never);
    },
  });

export function providePanels(): void {
  provideStandardOptions();
  const panels: Record<string, PanelPlugin> = {
    timeseries: custom(new PanelPlugin(TimeSeriesPanel)),
    table: custom(new PanelPlugin(TablePanel)),
    stat: custom(new PanelPlugin(StatPanel)),
    bargauge: custom(new PanelPlugin(BarGaugePanel)),
  };
  for (const [id, panel] of Object.entries(panels))
    panel.meta = { id, name: id, type: "panel", info: { version: "", logos: { small: "", large: "" } } } as never;
  setPluginImportUtils({
    importPanelPlugin: async (id) => panels[id] as PanelPlugin,
    getPanelPluginFromCache: (id) => panels[id],
  });
}
