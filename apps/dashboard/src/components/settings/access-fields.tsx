"use client";

import { type Access, isWholeFleet, type Role, type Scope } from "@lynceus/protocol/access";
import { NativeSelect, Radio } from "@mantine/core";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { AccessErrors } from "../../lib/access-input.ts";
import forms from "../forms/forms.module.css";
import styles from "./settings.module.css";

/** Loaded where a part of the fleet is chosen, which few accounts are. */
const NamesField = dynamic(() => import("./names-field.tsx").then((file) => file.NamesField), {
  // Without a place of its own to wait in, the choice itself would wait for it.
  loading: () => <div className={styles.namesPlace} />,
});

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
          <NamesField label="Sites" name={`${prefix}sites`} value={value.sites ?? []} known={known.sites} />
          <NamesField label="Tags" name={`${prefix}tags`} value={value.tags ?? []} known={known.tags} />
        </div>
      ) : null}
    </>
  );
}
