"use client";

import type { Access } from "@lynceus/protocol/access";
import { useDebouncedValue } from "@mantine/hooks";
import { Spotlight } from "@mantine/spotlight";
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import * as z from "zod";
import { Icon } from "../icon.tsx";

import { StatusMark } from "../status/status-mark.tsx";
import { shellPages } from "./pages.ts";
import styles from "./shell.module.css";

// Else the first schema asks whether code may be made from strings, which the content security policy refuses and reports.
z.config({ jitless: true });
const answerSchema = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      hostname: z.string(),
      status: z.enum(["healthy", "failing", "stale", "cannot-tell", "signed-off"]),
      detail: z.string(),
    }),
  ),
});
type Found = z.infer<typeof answerSchema>["items"];

/** Go to a page, or from two letters on to a machine (`Ctrl K`). */
export function GoTo({ access }: { access: Access }) {
  const router = useRouter();
  const [query, setQuery] = useState("");
  const [asked] = useDebouncedValue(query.trim(), 150);
  const [found, setFound] = useState<{ query: string; items: Found } | null>(null);

  useEffect(() => {
    if (asked.length < 2) {
      setFound(null);
      return;
    }
    const stop = new AbortController();
    fetch(`/api/go-to?q=${encodeURIComponent(asked)}`, { signal: stop.signal })
      .then(async (answer) => setFound({ query: asked, items: answerSchema.parse(await answer.json()).items }))
      .catch(() => {
        if (!stop.signal.aborted) setFound({ query: asked, items: [] });
      });
    return () => stop.abort();
  }, [asked]);

  const wanted = query.trim().toLowerCase();
  const pages = shellPages(access).filter((page) => page.title.toLowerCase().includes(wanted));
  const machines = found?.items ?? [];
  return (
    <Spotlight.Root
      query={query}
      onQueryChange={setQuery}
      shortcut={["mod + K"]}
      radius="lg"
      yOffset="14vh"
      overlayProps={{ blur: 0, backgroundOpacity: 0.25 }}
      transitionProps={{ duration: 120 }}
      classNames={{ content: styles.goToBox ?? "", actionsGroup: styles.goToGroup ?? "" }}
      centered={false}
    >
      <Spotlight.Search placeholder="Go to a page or machine" leftSection={<Icon name="search" />} />
      <Spotlight.ActionsList>
        {pages.length === 0 ? null : (
          <Spotlight.ActionsGroup label="Pages">
            {pages.map((page) => (
              <Spotlight.Action
                key={page.href}
                label={page.title}
                leftSection={<Icon name={page.icon} />}
                onClick={() => router.push(page.href)}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {machines.length === 0 ? null : (
          <Spotlight.ActionsGroup label="Machines">
            {machines.map((machine) => (
              <Spotlight.Action
                key={machine.id}
                label={machine.hostname}
                description={machine.detail}
                leftSection={<StatusMark status={machine.status} />}
                onClick={() => router.push(`/machines/${machine.id}`)}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {pages.length + machines.length > 0 ? null : (
          <Spotlight.Empty>
            {wanted.length < 2 || found?.query.toLowerCase() !== wanted
              ? "Machines: two letters or more"
              : `Nothing is called "${query.trim()}".`}
          </Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
