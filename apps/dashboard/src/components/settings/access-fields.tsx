"use client";

import { type Access, isWholeFleet, type Role, type Scope } from "@lynceus/protocol/access";
import { NativeSelect, Radio, TagsInput } from "@mantine/core";
import { useState } from "react";
import { type AccessErrors, namesDivider } from "../../lib/access-input.ts";
import forms from "../forms/forms.module.css";

/** Names that machines have now; others may be typed. */
export interface KnownNames {
  sites: readonly string[];
  tags: readonly string[];
}

const roleTexts: Record<Role, string> = {
  viewer: "Viewer: reads",
  operator: "Operator: also asks machines to check",
  admin: "Admin: also changes",
};

/** Role and part of the fleet. */
export function AccessFields(props: {
  value: Access;
  known: KnownNames;
  errors: AccessErrors;
  /** Before each field's name, where a form has several. */
  prefix?: string;
}) {
  const { value, known, errors, prefix = "" } = props;
  return (
    <>
      <NativeSelect
        label="Role"
        name={`${prefix}role`}
        defaultValue={value.role}
        error={errors.role}
        data={Object.entries(roleTexts).map(([role, label]) => ({ value: role, label }))}
      />
      <ScopeFields value={value} known={known} error={errors.scope} prefix={prefix} />
    </>
  );
}

/** Part of the fleet. */
export function ScopeFields(props: { value: Scope; known: KnownNames; error?: string | undefined; prefix?: string }) {
  const { value, known, error, prefix = "" } = props;
  const [scope, setScope] = useState(isWholeFleet(value) ? "whole" : "part");
  return (
    <>
      <Radio.Group
        label="Sees"
        name={`${prefix}scope`}
        value={scope}
        onChange={setScope}
        error={error}
        className={forms.choice ?? ""}
      >
        <Radio value="whole" label="The whole fleet" />
        <Radio value="part" label="Machines at these sites, or with these tags" />
      </Radio.Group>
      {scope === "part" ? (
        <div className={forms.pair}>
          <Names label="Sites" name={`${prefix}sites`} value={value.sites ?? []} known={known.sites} />
          <Names label="Tags" name={`${prefix}tags`} value={value.tags ?? []} known={known.tags} />
        </div>
      ) : null}
    </>
  );
}

function Names(props: { label: string; name: string; value: readonly string[]; known: readonly string[] }) {
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
