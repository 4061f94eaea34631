"use client";

import { Button } from "@mantine/core";
import { lazy, Suspense, useEffect, useState } from "react";
import { Icon } from "../icon.tsx";
import { columnIds } from "./column-info.ts";
import { groupFields } from "./group-fields.ts";
import type { Defaults } from "./query.ts";
import { useListState } from "./use-list-state.ts";

const ListMenus = lazy(() => import("./list-menus.tsx").then((file) => ({ default: file.ListMenus })));

export const groupLabel = (group: string): string =>
  group === "none" ? "Group" : `By ${groupFields[group as keyof typeof groupFields]?.toLowerCase() ?? group}`;

export const columnsLabel = (shown: number): string => `Columns · ${shown} of ${columnIds.length}`;

/** Columns and groups of the list, beside its title. The menus come after the list: until then their buttons stand there. */
export function ListTools({ defaults }: { defaults: Defaults }) {
  const { cols, group } = useListState(defaults);
  const [mounted, setMounted] = useState(false);
  useEffect(() => setMounted(true), []);
  const waiting = [groupLabel(group), columnsLabel(cols.length)].map((label) => (
    <Button key={label} visibleFrom="sm" rightSection={<Icon name="down" />} aria-disabled>
      {label}
    </Button>
  ));
  return mounted ? (
    <Suspense fallback={waiting}>
      <ListMenus defaults={defaults} />
    </Suspense>
  ) : (
    waiting
  );
}
