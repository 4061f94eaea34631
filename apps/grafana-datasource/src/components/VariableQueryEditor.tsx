import type { QueryEditorProps } from "@grafana/data";
import { Stack } from "@grafana/ui";
import { filterFields } from "@lynceus/protocol/filter";
import React, { useCallback } from "react";
import type { LynceusDataSource } from "../datasource";
import type { LynceusOptions, LynceusQuery, LynceusVariableQuery } from "../types";
import { variableFields, variableOf } from "../variable-query";
import { FilterField } from "./FilterField";
import { Choice } from "./fields";

type Props = QueryEditorProps<LynceusDataSource, LynceusQuery, LynceusOptions, LynceusVariableQuery>;

const titleOf = (field: (typeof variableFields)[number]): string =>
  field === "target" ? "Target of the policy" : filterFields[field].title;
const options = variableFields.map((value) => ({ value, label: value, description: titleOf(value) }));

/** What a variable lists: the values of a field, of all machines or of those that match a filter. */
export function VariableQueryEditor({ query, onChange, datasource }: Props) {
  const { field, q } = variableOf(query);
  const known = variableFields.find((one) => one === field) ?? "site";
  const valuesOf = useCallback(
    (of: string, under: string, contains: string) => datasource.fieldValues(of, under, contains),
    [datasource],
  );
  return (
    <Stack direction="column" gap={0.5}>
      <Choice
        label="Values of"
        value={known}
        options={options}
        width={32}
        onChange={(value) => onChange(variableOf({ field: value, q }))}
      />
      {known !== "target" && (
        <FilterField
          value={q}
          valuesOf={valuesOf}
          onChange={(text) => onChange(variableOf({ field: known, q: text }))}
        />
      )}
    </Stack>
  );
}
