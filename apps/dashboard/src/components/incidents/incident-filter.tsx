"use client";

import { parseAsString, useQueryState } from "nuqs";
import { useRef } from "react";
import { FilterField } from "../machines/filter-field.tsx";
import { useKey } from "../use-key.ts";

/** Incidents by the machines in them, in the one filter language; in the address, so that a link shows the same. */
export function IncidentFilter({ fields, zone }: { fields: readonly string[]; zone: string }) {
  const [query, setQuery] = useQueryState(
    "q",
    parseAsString.withDefault("").withOptions({ shallow: false, history: "push", clearOnDefault: true }),
  );
  const input = useRef<HTMLInputElement>(null);
  useKey("/", () => input.current?.focus());
  return (
    <FilterField
      query={query}
      onChange={(next) => void setQuery(next)}
      zone={zone}
      fields={fields}
      inputRef={input}
      label="Filter incidents by their machines"
    />
  );
}
