"use client";

import type { Access } from "@lynceus/protocol/access";
import { useDebouncedValue } from "@mantine/hooks";
import { Spotlight } from "@mantine/spotlight";
import { useRouter } from "next/navigation";
import { useEffect, useRef, useState } from "react";
import type { GoToAnswer } from "../../lib/go-to.ts";
import { Icon } from "../icon.tsx";
import { incidentHref, markOf } from "../incidents/words.ts";
import { StatusMark, statusWords } from "../status/status-mark.tsx";
import { shellPages } from "./pages.ts";
import { paletteStore } from "./palette.ts";
import styles from "./shell.module.css";

const nothing: GoToAnswer = { machines: [], incidents: [], patterns: [] };

interface Place {
  key: string;
  label: string;
  detail?: string;
  mark: React.ReactNode;
  href: string;
}

/** Go to a page, or from two letters on to a machine, an incident or a pattern (`Ctrl K`). */
export function GoTo({ access }: { access: Access }) {
  const router = useRouter();
  const [query, setQuery] = useState("");
  const [asked] = useDebouncedValue(query.trim(), 150);
  const [found, setFound] = useState<{ query: string; answer: GoToAnswer | null } | null>(null);

  useEffect(() => {
    if (asked.length < 2) {
      setFound(null);
      return;
    }
    const stop = new AbortController();
    fetch(`/api/go-to?q=${encodeURIComponent(asked)}`, { signal: stop.signal })
      .then(async (response) => {
        if (!response.ok) throw new Error(`GET /api/go-to answered ${response.status}`);
        setFound({ query: asked, answer: (await response.json()) as GoToAnswer });
      })
      .catch(() => {
        if (!stop.signal.aborted) setFound({ query: asked, answer: null });
      });
    return () => stop.abort();
  }, [asked]);

  // What was found later than the letters were typed is not chosen by itself, and Enter would do nothing.
  const list = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another answer is what brings other places.
  useEffect(() => {
    const first = list.current?.querySelector("[data-action]");
    if (!first || list.current?.querySelector("[data-selected]")) return;
    first.setAttribute("data-selected", "true");
    paletteStore.updateState((state) => ({ ...state, selected: 0 }));
  }, [found]);

  const wanted = query.trim().toLowerCase();
  const { machines, incidents, patterns } = found?.answer ?? nothing;
  const groups: { title: string; places: Place[] }[] = [
    {
      title: "Pages",
      places: shellPages(access)
        .filter((page) => page.title.toLowerCase().includes(wanted))
        .map((page) => ({ key: page.href, label: page.title, mark: <Icon name={page.icon} />, href: page.href })),
    },
    {
      title: "Machines",
      places: machines.map((machine) => ({
        key: machine.id,
        label: machine.hostname,
        detail: [statusWords[machine.status], machine.detail].filter((part) => part !== "").join(" · "),
        mark: <StatusMark status={machine.status} />,
        href: `/machines/${machine.id}`,
      })),
    },
    {
      title: "Incidents",
      places: incidents.map((incident) => ({
        key: String(incident.number),
        label: `${incident.number} · ${incident.title}`,
        detail: incident.endedAt === null ? "open" : "over",
        mark: <StatusMark status={markOf(incident)} />,
        href: incidentHref(incident.number),
      })),
    },
    {
      title: "Patterns",
      places: patterns.map((pattern) => ({
        key: pattern.id,
        label: pattern.title,
        detail: pattern.id,
        mark: <Icon name="patterns" />,
        href: `/patterns/${pattern.id}`,
      })),
    },
  ].filter(({ places }) => places.length > 0);
  const known = found?.query.toLowerCase() === wanted;
  return (
    <Spotlight.Root
      store={paletteStore}
      query={query}
      onQueryChange={setQuery}
      // The frame listens for Ctrl K: it is there before this is.
      shortcut={null}
      scrollable
      maxHeight="min(480px, 60vh)"
      radius="lg"
      yOffset="14vh"
      overlayProps={{ blur: 0, backgroundOpacity: 0.25 }}
      transitionProps={{ duration: 120 }}
      classNames={{ content: styles.goToBox ?? "", actionsGroup: styles.goToGroup ?? "" }}
      centered={false}
    >
      <Spotlight.Search
        placeholder="Page, machine, incident or pattern"
        aria-label="Go to a page, machine, incident or pattern"
        leftSection={<Icon name="search" />}
      />
      <Spotlight.ActionsList ref={list}>
        {groups.map(({ title, places }) => (
          <Spotlight.ActionsGroup key={title} label={title}>
            {places.map(({ key, label, detail, mark, href }) => (
              <Spotlight.Action key={key} onClick={() => router.push(href)}>
                <span className={styles.goToMark}>{mark}</span>
                <bdi>{label}</bdi>
                {detail === undefined ? null : (
                  <span className={styles.goToDetail}>
                    <bdi>{detail}</bdi>
                  </span>
                )}
              </Spotlight.Action>
            ))}
          </Spotlight.ActionsGroup>
        ))}
        {groups.length > 0 ? null : (
          <Spotlight.Empty>
            {wanted.length < 2
              ? "Machines, incidents and patterns: two letters or more"
              : known && found?.answer === null
                ? "The dashboard could not be asked. Pages can be opened all the same."
                : known
                  ? `Nothing is called "${query.trim()}".`
                  : "Looking…"}
          </Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
