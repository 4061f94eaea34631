"use client";

import { MultiSelect, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import styles from "./alerting.module.css";
import { numberOf } from "./form-value.ts";

export interface Choice {
  value: string;
  label: string;
}

export interface TextProps {
  label: string;
  description: string | undefined;
  error: string | undefined;
}
/** A number as it is typed; what is none is sent as it is, and refused by its rule. */
export function NumberText(props: TextProps & { value: unknown; onChange: (value: unknown) => void }) {
  const { value, onChange, ...rest } = props;
  const [text, setText] = useState(value === null || value === undefined ? "" : String(value));
  return (
    <TextInput
      {...rest}
      value={text}
      inputMode="decimal"
      autoComplete="off"
      classNames={{ input: styles.number ?? "" }}
      onChange={(event) => {
        setText(event.currentTarget.value);
        onChange(numberOf(event.currentTarget.value));
      }}
    />
  );
}
/** Text of several lines that stands for a value of another shape. */
export function RawText(
  props: TextProps & { placeholder?: string | undefined; start: string; onText: (text: string) => void },
) {
  const { start: first, onText, placeholder, ...rest } = props;
  const [text, setText] = useState(first);
  return (
    <Textarea
      {...rest}
      value={text}
      placeholder={placeholder ?? ""}
      autosize
      minRows={2}
      maxRows={14}
      spellCheck={false}
      classNames={{ input: "mono" }}
      onChange={(event) => {
        setText(event.currentTarget.value);
        onText(event.currentTarget.value);
      }}
    />
  );
}
/** Some of the configuration's own. A target is written `person:l-tan` in the list and `{ person: "l-tan" }` in the piece. */
export function Many(
  props: TextProps & {
    options: readonly Choice[];
    value: unknown;
    targets: boolean;
    onChange: (value: unknown) => void;
  },
) {
  const { options, value, targets, onChange, ...rest } = props;
  const list = Array.isArray(value) ? value : [];
  const texts = targets
    ? list.map((one) => Object.entries(one as Record<string, string>)[0]?.join(":") ?? "")
    : list.map(String);
  return (
    <MultiSelect
      {...rest}
      data={options.map(({ value: option, label }) => ({ value: option, label }))}
      value={texts}
      searchable
      placeholder={texts.length > 0 ? "" : options.length === 0 ? "there is none yet" : "choose"}
      nothingFoundMessage="nothing of this name"
      onChange={(next) =>
        onChange(
          targets ? next.map((one) => ({ [one.slice(0, one.indexOf(":"))]: one.slice(one.indexOf(":") + 1) })) : next,
        )
      }
    />
  );
}
