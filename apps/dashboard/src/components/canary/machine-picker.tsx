"use client";

import { limits } from "@lynceus/protocol/limits";
import { MultiSelect } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { type ReactNode, useEffect, useState } from "react";
import type { RowsPage } from "../machines/use-rows.ts";

/** Chooses connected machines by name, asked from the server: a fleet is too long for a list. */
export function MachinePicker({ name, error }: { name: string; error: ReactNode }) {
  const [search, setSearch] = useState("");
  const [asked] = useDebouncedValue(search.trim(), 200);
  const [chosen, setChosen] = useState<string[]>([]);
  const [known, setKnown] = useState<ReadonlyMap<string, string>>(new Map());
  const [found, setFound] = useState<string[]>([]);

  useEffect(() => {
    const stop = new AbortController();
    const bare = asked.replaceAll(/["\\*\s,]/g, "");
    const q = bare === "" ? "-status:signed-off" : `name:*${bare}*`;
    fetch(`/machines/rows?${new URLSearchParams({ q, sort: "name", limit: "200" })}`, { signal: stop.signal })
      .then(async (answer) => {
        if (!answer.ok) return;
        const { items } = (await answer.json()) as RowsPage;
        const online = items.filter((row) => row.connected).slice(0, 50);
        setKnown((was) => new Map([...was, ...online.map((row) => [row.id, row.hostname] as const)]));
        setFound(online.map((row) => row.id));
      })
      .catch(() => {});
    return () => stop.abort();
  }, [asked]);

  const options = [...new Set([...chosen, ...found])].map((id) => ({ value: id, label: known.get(id) ?? id }));
  return (
    <MultiSelect
      label="Machines that really probe the route"
      description={`Connected ones, at most ${limits.canaryProbes}; they ask without credentials, and their settings stay as they are`}
      placeholder={chosen.length === 0 ? "None: judged by what is known" : ""}
      name={name}
      data={options}
      value={chosen}
      onChange={setChosen}
      searchable
      searchValue={search}
      onSearchChange={setSearch}
      // What is offered was found by the server already.
      filter={({ options: all }) => all}
      maxValues={limits.canaryProbes}
      nothingFoundMessage="No connected machine is called so."
      error={error}
      hidePickedOptions
    />
  );
}
