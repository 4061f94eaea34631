"use client";

import { Button, Checkbox, Group, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import forms from "../forms/forms.module.css";
import styles from "./alerting.module.css";
import type { Field, Source } from "./fields.ts";
import { at, linesOf, pairsOf, put } from "./form-value.ts";
import { type Choice, Many, NumberText, RawText, type TextProps } from "./text-fields.tsx";

export type Choices = Readonly<Record<Source, readonly Choice[]>>;

export interface FieldContext {
  choices: Choices;
  errors: Readonly<Record<string, string>>;
  /** Id of the list of time zones. */
  zones: string;
  /** Tells of text that cannot be read as a value; null: it can. */
  unreadable: (path: string, text: string | null) => void;
}
const join = (path: string, key: string) => (path === "" ? key : `${path}.${key}`);

/** Two narrow fields stand side by side. */
const isNarrow = (field: Field) =>
  ["text", "mono", "zone", "clock", "moment", "number", "select", "one"].includes(field.as);

/** Fields of one object. */
export function Fields(props: Omit<FieldProps, "field"> & { fields: readonly Field[] }) {
  const { fields, ...rest } = props;
  const rows: Field[][] = [];
  for (const field of fields) {
    const last = rows.at(-1);
    if (isNarrow(field) && last?.length === 1 && last[0] !== undefined && isNarrow(last[0])) last.push(field);
    else rows.push([field]);
  }
  return rows.map((row) => {
    const drawn = row.map((field) => <FieldView key={field.label} field={field} {...rest} />);
    return row.length === 1 ? (
      drawn
    ) : (
      <div key={row[0]?.label} className={forms.pair}>
        {drawn}
      </div>
    );
  });
}

interface FieldProps {
  field: Field;
  /** Where the object stands whose field this is, for its errors. */
  path: string;
  /** That object. */
  value: unknown;
  onChange: (value: unknown) => void;
  context: FieldContext;
}

/** One field, drawn as what it stands for. */
export function FieldView({ field, path, value, onChange, context }: FieldProps) {
  if (field.as === "more")
    return <More field={field} path={path} value={value} onChange={onChange} context={context} />;
  const own = join(path, field.path);
  const here = at(value, field.path);
  const set = (next: unknown) => onChange(put(value, field.path, next));
  const error = errorOf(context.errors, own, !["items", "maybe"].includes(field.as));
  const common = { label: field.label, description: field.about, error };
  switch (field.as) {
    case "text":
    case "mono":
    case "zone":
    case "clock":
    case "moment":
      return (
        <TextInput
          {...common}
          value={here === null || here === undefined ? "" : String(here)}
          placeholder={field.placeholder ?? ""}
          autoComplete="off"
          spellCheck={false}
          maxLength={4096}
          type={field.as === "moment" ? "datetime-local" : "text"}
          {...(field.as === "zone" ? { list: context.zones } : {})}
          {...(field.as === "text" || field.as === "zone" ? {} : { classNames: { input: "mono" } })}
          onChange={(event) => {
            const text = event.currentTarget.value;
            set(text === "" && field.empty === "null" ? null : text);
          }}
        />
      );
    case "area":
      return (
        <Textarea
          {...common}
          value={here === null || here === undefined ? "" : String(here)}
          placeholder={field.placeholder ?? ""}
          autosize
          minRows={2}
          maxRows={8}
          classNames={{ input: "mono" }}
          onChange={(event) => {
            const text = event.currentTarget.value;
            set(text === "" && field.empty === "null" ? null : text);
          }}
        />
      );
    case "number":
      return <NumberText {...common} value={here} onChange={set} />;
    case "check":
      return (
        <Checkbox
          label={field.label}
          description={field.about}
          error={error}
          checked={here === true}
          onChange={(event) => set(event.currentTarget.checked)}
        />
      );
    case "select":
      return (
        <NativeSelect
          {...common}
          value={String(here)}
          data={Object.entries(field.options).map(([option, label]) => ({ value: option, label }))}
          onChange={(event) => set(event.currentTarget.value)}
        />
      );
    case "one":
      return (
        <NativeSelect
          {...common}
          value={here === null ? "" : String(here)}
          data={[{ value: "", label: field.none }, ...context.choices[field.from]]}
          onChange={(event) => set(event.currentTarget.value === "" ? null : event.currentTarget.value)}
        />
      );
    case "many":
      return (
        <Many
          {...common}
          options={context.choices[field.from]}
          value={here}
          targets={field.from === "targets"}
          onChange={set}
        />
      );
    case "several":
      return (
        <Checkbox.Group
          {...common}
          value={Array.isArray(here) ? here.map(String) : []}
          onChange={(next) => set(Object.keys(field.options).filter((one) => next.includes(one)))}
        >
          <Group gap="md">
            {Object.entries(field.options).map(([option, label]) => (
              <Checkbox key={option} value={option} label={label} />
            ))}
          </Group>
        </Checkbox.Group>
      );
    case "lines":
      return (
        <RawText
          {...common}
          placeholder={field.placeholder}
          start={Array.isArray(here) ? here.join("\n") : ""}
          onText={(text) => set(linesOf(text))}
        />
      );
    case "pairs":
      return (
        <RawText
          {...common}
          placeholder={field.placeholder}
          start={Object.entries((here ?? {}) as Record<string, string>)
            .map(([key, one]) => `${key}=${one}`)
            .join("\n")}
          onText={(text) => {
            const read = pairsOf(text);
            context.unreadable(own, read.problem);
            if (read.problem === null) set(read.pairs);
          }}
        />
      );
    case "json":
      return (
        <RawText
          {...common}
          placeholder={field.placeholder}
          start={here === null || here === undefined ? "" : JSON.stringify(here, null, 2)}
          onText={(text) => {
            try {
              set(text.trim() === "" ? null : JSON.parse(text));
              context.unreadable(own, null);
            } catch (problem) {
              context.unreadable(own, `This is no JSON: ${problem instanceof Error ? problem.message : "unreadable"}.`);
            }
          }}
        />
      );
    case "maybe":
      return (
        <div className={styles.group}>
          <Checkbox
            label={field.label}
            checked={here !== null && here !== undefined}
            error={error}
            onChange={(event) => set(event.currentTarget.checked ? withZone(field.blank) : null)}
          />
          {here === null || here === undefined ? null : (
            <Fields fields={field.fields} path={own} value={here} onChange={set} context={context} />
          )}
        </div>
      );
    case "items":
      return (
        <Items
          {...common}
          field={field}
          path={own}
          value={Array.isArray(here) ? here : []}
          onChange={set}
          context={context}
        />
      );
  }
}

/** The error of a field: its own, or where it has no fields of its own, the first below it. */
function errorOf(errors: Readonly<Record<string, string>>, path: string, below: boolean): string | undefined {
  if (errors[path] !== undefined || !below) return errors[path];
  const key = Object.keys(errors).find((one) => one.startsWith(`${path}.`));
  if (key === undefined) return undefined;
  const place = /^\d+$/.exec(key.slice(path.length + 1).split(".")[0] ?? "");
  return place ? `${ordinal(Number(place[0]) + 1)}: ${errors[key]}` : errors[key];
}
const ordinal = (place: number) => `No. ${place}`;

function withZone(blank: unknown): unknown {
  return at(blank, "zone") === "" ? put(blank, "zone", Intl.DateTimeFormat().resolvedOptions().timeZone) : blank;
}

/** Fields that few need. Open where one of them is wrong. */
function More({ field, path, value, onChange, context }: FieldProps & { field: Extract<Field, { as: "more" }> }) {
  const paths = field.fields.flatMap((one) => ("path" in one ? [join(path, one.path)] : []));
  const wrong = Object.keys(context.errors).some((key) =>
    paths.some((one) => key === one || key.startsWith(`${one}.`)),
  );
  const [open, setOpen] = useState(false);
  return (
    <details className={styles.more} open={open || wrong} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{field.label}</summary>
      <div className={forms.form}>
        <Fields fields={field.fields} path={path} value={value} onChange={onChange} context={context} />
      </div>
    </details>
  );
}
let keys = 0;
const newKey = () => ++keys;

/** Objects in order: added, moved, removed. */
function Items(
  props: TextProps & {
    field: Extract<Field, { as: "items" }>;
    path: string;
    value: readonly unknown[];
    onChange: (value: unknown) => void;
    context: FieldContext;
  },
) {
  const { label, description, error, field, path, value, onChange, context } = props;
  const [ids, setIds] = useState<readonly number[]>(() => value.map(newKey));
  const change = (next: readonly unknown[], nextIds: readonly number[]) => {
    setIds(nextIds);
    onChange(next);
  };
  const swap = <One,>(list: readonly One[], place: number): One[] => {
    const next = [...list];
    const [one] = next.splice(place, 1);
    if (one !== undefined) next.splice(place - 1, 0, one);
    return next;
  };
  const without = <One,>(list: readonly One[], place: number) => list.filter((_, one) => one !== place);
  return (
    <fieldset className={styles.items}>
      <legend>{label}</legend>
      {description === undefined ? null : <p className="dim">{description}</p>}
      {value.map((one, place) => {
        const title = `${field.one} ${place + 1}`;
        return (
          <fieldset key={ids[place] ?? place} className={styles.item}>
            <legend>{title}</legend>
            <Fields
              fields={field.fields}
              path={`${path}.${place}`}
              value={one}
              onChange={(next) => onChange(value.map((old, other) => (other === place ? next : old)))}
              context={context}
            />
            <div className={forms.acts}>
              {place === 0 ? null : (
                <Button
                  variant="subtle"
                  aria-label={`Move ${title} up`}
                  onClick={() => change(swap(value, place), swap(ids, place))}
                >
                  Move up
                </Button>
              )}
              <Button
                variant="subtle"
                aria-label={`Remove ${title}`}
                onClick={() => change(without(value, place), without(ids, place))}
              >
                Remove
              </Button>
            </div>
          </fieldset>
        );
      })}
      {error === undefined ? null : (
        <p role="alert" className="bad">
          {error}
        </p>
      )}
      <Button onClick={() => change([...value, structuredClone(field.blank)], [...ids, newKey()])}>
        Add {field.one.toLowerCase()}
      </Button>
    </fieldset>
  );
}
