"use client";

import { Checkbox, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useActionState } from "react";
import { propose } from "../../app/(app)/(skeleton)/canary/actions.ts";
import { type CanaryValues, emptyCanary } from "../../lib/canary-values.ts";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";
import styles from "./canary.module.css";
import { MachinePicker } from "./machine-picker.tsx";

/** Proposed proxy settings, in the terms of Windows' dialog, and whom they are judged for. */
export function CanaryForm({ sites }: { sites: readonly string[] }) {
  const [state, submit, pending] = useActionState(propose, { values: emptyCanary(), errors: {}, turn: 0 });
  const { values, errors, turn } = state;
  const field = (name: Exclude<keyof CanaryValues, "autoDetect">) => ({
    name,
    defaultValue: values[name],
    error: errors[name],
    autoComplete: "off",
    spellCheck: false,
  });
  const mono = { input: styles.mono ?? "" };
  return (
    <form action={submit} className={forms.form} key={turn}>
      <TextInput
        label="Title"
        description="What it is, for those who read the result"
        placeholder="px2 for Singapore"
        required
        maxLength={200}
        {...field("title")}
      />
      <Checkbox
        name="autoDetect"
        label="Automatically detect settings"
        description="Tried first, as each machine found it last"
        defaultChecked={values.autoDetect}
      />
      <TextInput
        label="Script address"
        description="Fetched once by the collector; the script runs in a sandbox"
        placeholder="http://pac.example.org/new.pac"
        classNames={mono}
        {...field("scriptUrl")}
      />
      <Textarea
        label="Or the script's text"
        description="As it would be published"
        placeholder={'function FindProxyForURL(url, host) {\n  return "PROXY px2.example.org:8080";\n}'}
        autosize
        minRows={5}
        maxRows={18}
        classNames={mono}
        {...field("script")}
      />
      <div className={forms.pair}>
        <TextInput
          label="Proxy server"
          description="As in Windows' dialog"
          placeholder="px2.example.org:8080"
          classNames={mono}
          {...field("server")}
        />
        <TextInput
          label="Bypass list"
          description="Beside a proxy server alone"
          placeholder="*.example.org;<local>"
          classNames={mono}
          {...field("bypass")}
        />
        <TextInput
          label="For which machines"
          description="A filter as in Machines; empty: all"
          placeholder="os:windows"
          classNames={mono}
          {...field("q")}
        />
        <NativeSelect
          label="At which site"
          description="One, or all"
          name="site"
          defaultValue={values.site}
          data={[{ value: "", label: "All sites" }, ...sites.map((site) => ({ value: site, label: site }))]}
          error={errors.site}
        />
      </div>
      <MachinePicker name="probe" error={errors.probe} />
      <Submit pending={pending} main>
        Judge before roll-out
      </Submit>
      <p className="dim">Nothing changes on any machine. With nothing filled in, the proposal is no proxy at all.</p>
    </form>
  );
}
