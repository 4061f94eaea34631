import { getTemplateSrv } from "@grafana/runtime";
import { type ComboboxOption, InlineField, MultiCombobox } from "@grafana/ui";
import React, { useId } from "react";

interface Props {
  readonly label: string;
  readonly tooltip: string;
  readonly placeholder: string;
  readonly values: readonly string[];
  readonly onChange: (values: string[]) => void;
  /** What there is with this text in it; variables come before it by themselves. */
  readonly options: (search: string) => Promise<ComboboxOption[]>;
  readonly invalid?: boolean;
}

/** The dashboard's variables as values, `*` among them: what a variable's All stands for. */
function variableOptions(search: string): ComboboxOption[] {
  return getTemplateSrv()
    .getVariables()
    .map(({ name }) => `$${name}`)
    .filter((name) => name.toLowerCase().includes(search.toLowerCase()))
    .map((value) => ({ value, label: value, description: "Variable" }));
}

/** Several values of one thing, chosen from what there is, from the dashboard's variables, or typed. */
export function ListField({ label, tooltip, placeholder, values, onChange, options, invalid }: Props) {
  const id = useId();
  const load = async (search: string): Promise<ComboboxOption[]> => [
    ...variableOptions(search),
    // What cannot be listed can still be typed.
    ...(await options(search).catch(() => [])),
  ];
  return (
    <InlineField label={label} tooltip={tooltip} labelWidth={14} htmlFor={id} invalid={invalid}>
      <MultiCombobox
        id={id}
        aria-label={label}
        width={32}
        placeholder={placeholder}
        options={load}
        value={values.map((value) => ({ value, label: value }))}
        createCustomValue
        isClearable
        onChange={(chosen) => onChange(chosen.map(({ value }) => value))}
      />
    </InlineField>
  );
}
