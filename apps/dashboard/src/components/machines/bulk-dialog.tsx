"use client";

import { formatCount } from "@lynceus/protocol/present";
import { Autocomplete, Button, Group, Modal, TagsInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useEffect, useState, useTransition } from "react";
import { countSelection, runBulk } from "../../app/(app)/machines/bulk-actions.ts";
import type { BulkAct, BulkKind } from "../../lib/bulk-input.ts";
import { type Chosen, countOf, selectionOf } from "./selection.ts";

const machinesText = (count: number) => `${formatCount(count)} ${count === 1 ? "machine" : "machines"}`;

interface Words {
  title: string;
  /** What happens, in a sentence. */
  means: string;
  button: (count: number) => string;
  done: (count: number) => string;
}

const words: Record<BulkKind, Words> = {
  tag: {
    title: "Tags",
    means: "Tags are kept in order, each once. Scopes of people and tokens may go by them.",
    button: (count) => `Tag ${machinesText(count)}`,
    done: (count) => `${machinesText(count)} tagged.`,
  },
  site: {
    title: "Site",
    means: "A machine whose address the subnet map knows moves back to that site at its next change of address.",
    button: (count) => `Move ${machinesText(count)}`,
    done: (count) => `${machinesText(count)} moved.`,
  },
  probe: {
    title: "Probe now",
    means:
      "They are asked one after the other, at the rate that Exchange may see. Those that are away are asked when they come.",
    button: (count) => `Probe ${machinesText(count)}`,
    done: (count) => `${machinesText(count)} will be asked to probe.`,
  },
  revoke: {
    title: "Revoke",
    means:
      "Their keys are refused from now on and their connections closed. They leave all counts; what was observed stays. A revoked machine can only come back with a new key and a token.",
    button: (count) => `Revoke ${machinesText(count)}`,
    done: (count) => `${machinesText(count)} revoked.`,
  },
  retire: {
    title: "Retire",
    means:
      "For machines that are no more: they are removed with their state, findings and timeline. One that still reports can enrol again with a token.",
    button: (count) => `Retire ${machinesText(count)}`,
    done: (count) => `${machinesText(count)} retired.`,
  },
};

/** Says what would happen and to how many machines, as the server counts them at this moment, and does it. */
export function BulkDialog(props: {
  kind: BulkKind | null;
  chosen: Chosen;
  onClose: () => void;
  onDone: () => void;
  onProbing: (verification: string) => void;
}) {
  const { kind, chosen, onClose, onDone, onProbing } = props;
  const [shown, setShown] = useState<BulkKind>(kind ?? "tag");
  if (kind !== null && kind !== shown) setShown(kind);
  return (
    <Modal opened={kind !== null} onClose={onClose} title={words[shown].title} size="md">
      {kind === null ? null : (
        <Act key={kind} kind={kind} chosen={chosen} onClose={onClose} onDone={onDone} onProbing={onProbing} />
      )}
    </Modal>
  );
}

function Act(props: {
  kind: BulkKind;
  chosen: Chosen;
  onClose: () => void;
  onDone: () => void;
  onProbing: (verification: string) => void;
}) {
  const { kind, chosen, onClose, onDone, onProbing } = props;
  const [count, setCount] = useState<number | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [add, setAdd] = useState<string[]>([]);
  const [remove, setRemove] = useState<string[]>([]);
  const [site, setSite] = useState("");
  const [pending, start] = useTransition();
  const known = useKnown(kind === "tag" ? "tag" : kind === "site" ? "site" : null);

  useEffect(() => {
    let current = true;
    countSelection(selectionOf(chosen)).then(
      (answer) => {
        if (!current) return;
        if ("error" in answer) setProblem(answer.error);
        else setCount(answer.machines);
      },
      () => current && setProblem("The machines could not be counted. Nothing was done."),
    );
    return () => {
      current = false;
    };
  }, [chosen]);

  const act: BulkAct | null =
    kind === "tag"
      ? add.length + remove.length > 0
        ? { kind, add, remove }
        : null
      : kind === "site"
        ? { kind, site: site.trim() === "" ? null : site.trim() }
        : { kind };
  const run = () =>
    start(async () => {
      if (act === null || count === null) return;
      setProblem(null);
      const answer = await runBulk(act, selectionOf(chosen), count).catch(() => null);
      if (answer === null) setProblem("The server did not answer. Look at the machines before you try again.");
      else if ("error" in answer) setProblem(answer.error);
      else if ("changed" in answer) {
        setProblem(
          `${machinesText(answer.changed)} match now, ${formatCount(count)} did before. Nothing was done yet.`,
        );
        setCount(answer.changed);
      } else {
        notifications.show({ message: words[kind].done(answer.done) });
        if (answer.verification !== undefined) onProbing(answer.verification);
        onClose();
        onDone();
      }
    });

  const selected = countOf(chosen);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        run();
      }}
      style={{ display: "grid", gap: 14 }}
    >
      <p>
        <b role="status">
          {count === null ? "Counting…" : `${machinesText(count)} now.`}
          {count !== null && count !== selected ? ` ${formatCount(selected)} when they were selected.` : ""}
        </b>{" "}
        {words[kind].means}
      </p>
      {kind === "tag" ? (
        <>
          <TagsInput label="Add" data={known} value={add} onChange={setAdd} maxTags={20} data-autofocus />
          <TagsInput label="Remove" data={known} value={remove} onChange={setRemove} maxTags={20} />
        </>
      ) : null}
      {kind === "site" ? (
        <Autocomplete
          label="Site"
          description="Empty: no site"
          data={known}
          value={site}
          onChange={setSite}
          maxLength={200}
          data-autofocus
        />
      ) : null}
      {problem === null ? null : (
        <p role="alert" className="bad">
          {problem}
        </p>
      )}
      <Group justify="flex-end" gap={8}>
        <Button variant="subtle" onClick={onClose}>
          Cancel
        </Button>
        <Button
          type="submit"
          variant="filled"
          loading={pending}
          disabled={count === null || count === 0 || act === null}
        >
          {words[kind].button(count ?? selected)}
        </Button>
      </Group>
    </form>
  );
}

/** The values that a field has in the fleet, for completion. */
function useKnown(field: "tag" | "site" | null): string[] {
  const [known, setKnown] = useState<string[]>([]);
  useEffect(() => {
    if (field === null) return;
    const stop = new AbortController();
    fetch(`/machines/values?field=${field}&q=`, { signal: stop.signal })
      .then((response) => (response.ok ? response.json() : { values: [] }))
      .then((body: { values: { value: string }[] }) =>
        setKnown(body.values.map(({ value }) => value).filter((value) => value !== "none" && value !== "unknown")),
      )
      .catch(() => {});
    return () => stop.abort();
  }, [field]);
  return known;
}
