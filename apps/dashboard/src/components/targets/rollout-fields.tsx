"use client";

import { NativeSelect, TextInput } from "@mantine/core";
import { useState } from "react";
import { type RolloutErrors, type RolloutValues, rolloutSteps } from "../../lib/rollout-values.ts";
import forms from "../forms/forms.module.css";

/** Who gets a version of the policy first. */
export function RolloutFields({ values, errors }: { values: RolloutValues; errors: RolloutErrors }) {
  const [who, setWho] = useState<string>(values.who);
  return (
    <div className={forms.form}>
      <NativeSelect
        name="who"
        value={who}
        onChange={(event) => setWho(event.currentTarget.value)}
        label="Who gets it first"
        description="The others keep the version in force until you give it to the whole fleet"
        data={[
          { value: "whole", label: "The whole fleet" },
          { value: "machine", label: "One machine, to test it" },
          { value: "part", label: "A part of the fleet" },
        ]}
      />
      {who === "machine" ? (
        <TextInput
          name="machine"
          label="Machine"
          description="It probes by the new version within a minute; what it finds is shown on the page Targets"
          placeholder="BER-LT-0412"
          defaultValue={values.machine}
          error={errors.machine}
          autoComplete="off"
          spellCheck={false}
        />
      ) : null}
      {who === "part" ? <PartFields values={values} errors={errors} /> : null}
    </div>
  );
}

/** A share, sites and tags: whoever any of them names. */
export function PartFields({ values, errors }: { values: Omit<RolloutValues, "who">; errors: RolloutErrors }) {
  const steps = rolloutSteps.includes(values.percent) ? rolloutSteps : [...rolloutSteps, values.percent];
  return (
    <div className={forms.pair}>
      <NativeSelect
        name="percent"
        label="Share of the fleet"
        description="By machine; who is in at 10 % is in at 25 %"
        defaultValue={values.percent}
        error={errors.percent}
        data={[...steps]
          .sort((a, b) => Number(a) - Number(b))
          .map((step) => ({ value: step, label: step === "0" ? "None by share" : `${step} %` }))}
      />
      <TextInput
        name="rolloutSites"
        label="And sites"
        description="Separated by commas"
        placeholder="Berlin, Singapore"
        defaultValue={values.sites}
        error={errors.sites}
      />
      <TextInput
        name="rolloutTags"
        label="And tags"
        description="Separated by commas"
        placeholder="pilot"
        defaultValue={values.tags}
        error={errors.tags}
      />
    </div>
  );
}
