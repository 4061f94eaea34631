import { DataSourcePlugin } from "@grafana/data";
import { ConfigEditor } from "./components/ConfigEditor";
import { QueryEditor } from "./components/QueryEditor";
import { LynceusDataSource } from "./datasource";
import type { LynceusOptions, LynceusQuery, LynceusSecrets } from "./types";

export const plugin = new DataSourcePlugin<LynceusDataSource, LynceusQuery, LynceusOptions, LynceusSecrets>(
  LynceusDataSource,
)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor);
