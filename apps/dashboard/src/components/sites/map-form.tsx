"use client";

import { Textarea } from "@mantine/core";
import { useActionState } from "react";
import { type SiteMapState, saveSiteMap } from "../../app/(app)/(skeleton)/sites/actions.ts";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";

const start: SiteMapState = { error: null, done: null, text: null, turn: 0 };

/** The whole map as text: what an address plan exports can be pasted. */
export function MapForm({ map }: { map: string }) {
  const [state, submit, pending] = useActionState(saveSiteMap, start);
  return (
    <form action={submit} className={forms.form} key={state.turn}>
      <input type="hidden" name="was" value={map} />
      <Textarea
        label="Subnets and their sites"
        name="map"
        description="One subnet a line, then its site, e.g. 10.40.0.0/16 Manila. The narrowest subnet that holds a machine's address says where it is."
        autosize
        minRows={4}
        maxRows={24}
        spellCheck={false}
        defaultValue={state.text ?? map}
        error={state.error}
        styles={{ input: { fontFamily: "var(--mono)" } }}
      />
      <Submit pending={pending} done={state.done}>
        Save map
      </Submit>
    </form>
  );
}
