import { Combobox, type ComboboxOption, InlineField, InlineSwitch, Input } from "@grafana/ui";
import React, { useId } from "react";

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly tooltip?: string;
  readonly value: T;
  readonly options: readonly ComboboxOption<T>[];
  readonly onChange: (value: T) => void;
  readonly width?: number;
  readonly labelWidth?: number;
}

/** One of a few. */
export function Choice<T extends string>({
  label,
  tooltip,
  value,
  options,
  onChange,
  width,
  labelWidth,
}: ChoiceProps<T>) {
  const id = useId();
  return (
    <InlineField label={label} tooltip={tooltip} labelWidth={labelWidth ?? 14} htmlFor={id}>
      <Combobox
        id={id}
        aria-label={label}
        width={width ?? 24}
        options={[...options]}
        value={value}
        onChange={(option) => onChange(option.value)}
      />
    </InlineField>
  );
}

interface CountProps {
  readonly label: string;
  readonly tooltip: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly onChange: (value: number) => void;
}

/** A whole number between bounds; what is not one stays as it was. */
export function Count({ label, tooltip, value, min, max, onChange }: CountProps) {
  const id = useId();
  return (
    <InlineField label={label} tooltip={tooltip} labelWidth={14} htmlFor={id}>
      <Input
        id={id}
        type="number"
        width={10}
        min={min}
        max={max}
        step={1}
        key={value}
        defaultValue={value}
        onBlur={(event) => {
          const given = Math.round(Number(event.currentTarget.value));
          const bounded = Math.min(max, Math.max(min, Number.isFinite(given) ? given : value));
          event.currentTarget.value = String(bounded);
          if (bounded !== value) onChange(bounded);
        }}
      />
    </InlineField>
  );
}

interface ToggleProps {
  readonly label: string;
  readonly tooltip: string;
  readonly value: boolean;
  readonly onChange: (value: boolean) => void;
}

/** On or off. */
export function Toggle({ label, tooltip, value, onChange }: ToggleProps) {
  const id = useId();
  return (
    <InlineField label={label} tooltip={tooltip} labelWidth={14} htmlFor={id}>
      <InlineSwitch id={id} value={value} onChange={(event) => onChange(event.currentTarget.checked)} />
    </InlineField>
  );
}
