"use client";

import type { SavedViewInput } from "@lynceus/protocol/saved-view";
import { Button, Group, Modal, TextInput } from "@mantine/core";
import { useRouter } from "next/navigation";
import { useState, useTransition } from "react";
import { dropView, keepView } from "../../app/(app)/machines/view-actions.ts";
import { ConfirmButton } from "../confirm-button.tsx";
import type { TeamView } from "./views-nav.tsx";

/** Keeps what is on screen as a view of the team, new or in place of the one that is open. */
export function SaveView(props: {
  opened: boolean;
  onClose: () => void;
  own: TeamView | null;
  shown: Omit<SavedViewInput, "name">;
}) {
  const { opened, onClose, own, shown } = props;
  const router = useRouter();
  const [name, setName] = useState(own?.name ?? "");
  const [problem, setProblem] = useState<string | null>(null);
  const [pending, start] = useTransition();
  const keep = (slug: string | null) =>
    start(async () => {
      const answer = await keepView(slug, { ...shown, columns: [...shown.columns], name }).catch(() => null);
      if (answer === null) setProblem("The server did not answer.");
      else if ("error" in answer) setProblem(answer.error);
      else {
        onClose();
        router.push(`/machines/views/${encodeURIComponent(answer.slug)}`);
        router.refresh();
      }
    });
  const drop = async () => {
    if (own === null) return;
    await dropView(own.slug);
    onClose();
    router.push("/machines");
    router.refresh();
  };
  return (
    <Modal opened={opened} onClose={onClose} title={own === null ? "Save view" : "View"} size="md">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          keep(own?.slug ?? null);
        }}
        style={{ display: "grid", gap: 14 }}
      >
        <TextInput
          label="Name"
          description="Everybody who can sign in sees it; it lists only the machines that each may see"
          placeholder="Behind px1"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={60}
          required
          error={problem}
          data-autofocus
        />
        <p className="dim">
          Keeps the filter {shown.q === "" ? "(none)" : <code>{shown.q}</code>}, the order, the columns
          {shown.group === null ? "" : " and the groups"}.
        </p>
        <Group justify="space-between" gap={8}>
          {own === null ? (
            <span />
          ) : (
            <ConfirmButton label="Delete view" again="Delete now" describes={own.name} onConfirm={() => void drop()} />
          )}
          <Group gap={8}>
            {own === null ? null : (
              <Button onClick={() => keep(null)} disabled={name.trim() === own.name}>
                Save as new
              </Button>
            )}
            <Button type="submit" variant="filled" loading={pending}>
              {own === null ? "Save view" : "Save changes"}
            </Button>
          </Group>
        </Group>
      </form>
    </Modal>
  );
}
