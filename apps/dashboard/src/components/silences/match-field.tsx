"use client";

import { InputWrapper } from "@mantine/core";
import { type ReactNode, useRef } from "react";
import { FilterField } from "../machines/filter-field.tsx";

/** Which machines something is about: the machines list's filter, as the field `match` of a form. */
export function MatchField(props: {
  match: string;
  onChange: (match: string) => void;
  zone: string;
  fields: readonly string[];
  /** For readers of the screen. */
  label: string;
  error: ReactNode;
}) {
  const { match, onChange, zone, fields, label, error } = props;
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input type="hidden" name="match" value={match} />
      <InputWrapper label="Machines" description="A filter, as of the machines list" labelElement="div" error={error}>
        <FilterField query={match} onChange={onChange} zone={zone} fields={fields} inputRef={input} label={label} />
      </InputWrapper>
    </>
  );
}
