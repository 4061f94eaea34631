"use client";

import { Button } from "@mantine/core";
import type { Defaults } from "./query.ts";
import { type Chosen, selectionOf } from "./selection.ts";
import { useListState } from "./use-list-state.ts";

export interface ExportOf {
  q: string;
  sort: string;
  cols: readonly string[];
}

/** Asks the browser to save machines: a form post, so that the answer is a file and no link does it by itself. */
export function saveMachines(format: "csv" | "json", of: ExportOf, chosen: Chosen | null): void {
  const form = document.createElement("form");
  form.method = "post";
  form.action = "/machines/export";
  const selection = chosen === null ? { kind: "all", q: of.q, at: Date.now() } : selectionOf(chosen);
  const fields = { format, sort: of.sort, cols: of.cols.join(","), selection: JSON.stringify(selection) };
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = name;
    input.value = value;
    form.append(input);
  }
  document.body.append(form);
  form.submit();
  form.remove();
}

/** All that match, as CSV, with the columns on screen. */
export function ExportButton({ defaults }: { defaults: Defaults }) {
  const { q, sort, cols } = useListState(defaults);
  return (
    <Button visibleFrom="sm" onClick={() => saveMachines("csv", { q, sort, cols }, null)}>
      Export CSV
    </Button>
  );
}
