import { CustomVariableSupport, type DataQueryRequest, type DataQueryResponse, FieldType } from "@grafana/data";
import { getTemplateSrv } from "@grafana/runtime";
import { safeText } from "@lynceus/protocol/present";
import { from, map, type Observable } from "rxjs";
import { VariableQueryEditor } from "./components/VariableQueryEditor";
import type { LynceusDataSource } from "./datasource";
import { interpolate } from "./interpolate";
import type { LynceusVariableQuery, ValuesQuery } from "./types";
import { variableOf } from "./variable-query";

/** Values of template variables. */
export class LynceusVariables extends CustomVariableSupport<LynceusDataSource, LynceusVariableQuery> {
  private readonly datasource: LynceusDataSource;
  constructor(datasource: LynceusDataSource) {
    super();
    this.datasource = datasource;
  }

  editor = VariableQueryEditor;

  query(request: DataQueryRequest<LynceusVariableQuery>): Observable<DataQueryResponse> {
    const { field, q } = variableOf(request.targets[0]);
    return from(this.values(field, q, request)).pipe(
      map((items) => ({
        data: [
          {
            refId: "Variable",
            length: items.length,
            fields: [
              { name: "text", type: FieldType.string, config: {}, values: items.map(({ text }) => safeText(text)) },
              { name: "value", type: FieldType.string, config: {}, values: items.map(({ value }) => value) },
            ],
          },
        ],
      })),
    );
  }

  private async values(
    field: LynceusVariableQuery["field"],
    q: string,
    { scopedVars }: DataQueryRequest<LynceusVariableQuery>,
  ): Promise<{ text: string; value: string }[]> {
    if (field === "target") {
      const targets = await this.datasource.targetRefs();
      return targets.map(({ id, host }) => ({ text: `${id} (${host})`, value: id }));
    }
    const asked: ValuesQuery = { refId: "Variable", kind: "values", field, q, live: false };
    const replaced = interpolate(
      asked,
      (text, vars, format) => getTemplateSrv().replace(text, vars, format),
      scopedVars,
    );
    const values = await this.datasource.fieldValues(field, (replaced as ValuesQuery).q);
    return (
      values
        // What no machine has, and what is no value, restricts nothing.
        .filter(({ value, machines }) => machines !== null && value !== "none" && value !== "unknown")
        .map(({ value }) => ({ text: value, value }))
        .sort((a, b) => a.text.localeCompare(b.text, "en", { numeric: true }))
    );
  }
}
