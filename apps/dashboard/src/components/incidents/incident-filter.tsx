"use client";

import { parseAsString, useQueryState } from "nuqs";
import { useEffect, useRef } from "react";
import { FilterField } from "../machines/filter-field.tsx";

/** Incidents by the machines in them, in the one filter language; in the address, so that a link shows the same. */
export function IncidentFilter({ fields, zone }: { fields: readonly string[]; zone: string }) {
  const [query, setQuery] = useQueryState(
    "q",
    parseAsString.withDefault("").withOptions({ shallow: false, history: "push", clearOnDefault: true }),
  );
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof HTMLElement && event.target.closest("input, textarea, select, [role=dialog]")) return;
      event.preventDefault();
      input.current?.focus();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
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
