"use client";

import { TagsInput } from "@mantine/core";
import { namesDivider } from "../../lib/access-input.ts";

/** Sites or tags that there are, and others that are typed. */
export function NamesField(props: { label: string; name: string; value: readonly string[]; known: readonly string[] }) {
  const { label, name, value, known } = props;
  return (
    <TagsInput
      label={label}
      name={name}
      defaultValue={[...value]}
      data={[...known]}
      hiddenInputValuesDivider={namesDivider}
      splitChars={["\n"]}
      acceptValueOnBlur
      maxTags={200}
      placeholder={value.length === 0 ? "any that is chosen or typed" : ""}
    />
  );
}
