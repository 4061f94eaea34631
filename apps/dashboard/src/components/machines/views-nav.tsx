"use client";

import { formatCount, safeText } from "@lynceus/protocol/present";
import dynamic from "next/dynamic";
import Link from "next/link";
import { useEffect, useState } from "react";
import { machinesHref } from "./links.ts";
import styles from "./machines.module.css";
import type { Defaults } from "./query.ts";
import { useListState } from "./use-list-state.ts";
import type { View } from "./views.ts";

const SaveView = dynamic(() => import("./save-view.tsx").then((file) => file.SaveView), { ssr: false });

export interface TeamView {
  slug: string;
  name: string;
  q: string;
}

/** Views: those that everybody has, then the team's; the last tab keeps what is on screen as one. */
export function ViewsNav(props: {
  views: readonly View[];
  /** Of the views above: the one whose filter is on screen. */
  current: string | null;
  team: readonly TeamView[];
  /** The team's view that is on screen. */
  view: string | null;
  maySave: boolean;
  defaults: Defaults;
  /** When the figures are of: those of the team's views are asked for again then. */
  asOf: string;
}) {
  const { views, current, team, view, maySave, defaults, asOf } = props;
  const [saving, setSaving] = useState<boolean | null>(null);
  const state = useListState(defaults);
  const counts = useCounts(team.length > 0, asOf);
  const own = team.find((one) => one.slug === view) ?? null;
  const differs =
    own !== null &&
    (state.q !== defaults.q ||
      state.sort !== defaults.sort ||
      state.group !== (defaults.group ?? "none") ||
      state.cols.join() !== defaults.cols.join());
  return (
    <>
      <nav className={styles.tabs} aria-label="Views">
        {views.map((one) => (
          <Link
            key={one.title}
            href={machinesHref(one.query)}
            aria-current={view === null && one.query === current ? "page" : undefined}
          >
            {one.title}
            <span>{formatCount(one.machines)}</span>
          </Link>
        ))}
        {team.map((one) => (
          <Link
            key={one.slug}
            href={`/machines/views/${encodeURIComponent(one.slug)}`}
            aria-current={one.slug === view ? "page" : undefined}
            prefetch={false}
          >
            <bdi>{safeText(one.name)}</bdi>
            {counts[one.slug] === undefined ? null : <span>{formatCount(counts[one.slug] ?? 0)}</span>}
          </Link>
        ))}
        {maySave ? (
          <button type="button" onClick={() => setSaving(true)}>
            {own === null ? "+ Save view" : differs ? "Save changes" : "Edit view"}
          </button>
        ) : null}
      </nav>
      {saving === null ? null : (
        <SaveView
          opened={saving}
          onClose={() => setSaving(false)}
          own={own}
          shown={{
            q: state.q,
            sort: state.sort,
            columns: state.cols,
            group: state.group === "none" ? null : state.group,
          }}
        />
      )}
    </>
  );
}

/** Counts of the team's views, read after the page: each is a look at every machine. */
function useCounts(wanted: boolean, asOf: string): Record<string, number> {
  const [counts, setCounts] = useState<Record<string, number>>({});
  // biome-ignore lint/correctness/useExhaustiveDependencies: a newer moment of the page is what asks again.
  useEffect(() => {
    if (!wanted) return;
    const stop = new AbortController();
    fetch("/machines/counts", { signal: stop.signal })
      .then(async (response) => {
        if (response.ok) setCounts(((await response.json()) as { counts: Record<string, number> }).counts);
      })
      .catch(() => {});
    return () => stop.abort();
  }, [wanted, asOf]);
  return counts;
}
