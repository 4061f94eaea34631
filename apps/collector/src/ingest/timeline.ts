import { createHash } from "node:crypto";
import type { TransitionRow } from "@lynceus/db/ingest";
import type { Change } from "@lynceus/diagnosis/changes";
import type { MachineStatus } from "@lynceus/protocol/names";
import type { Finding } from "@lynceus/protocol/state";

/* The words of the timeline: ready to show, one line each (interface.md section 1). */

const statusWord: Record<MachineStatus, string> = {
  healthy: "healthy",
  failing: "failing",
  stale: "stale",
  "cannot-tell": "cannot tell",
  "signed-off": "signed off",
};

const goodbyeWord: Record<string, string> = {
  suspend: "the machine suspends",
  shutdown: "the machine shuts down",
  stop: "the agent was stopped",
  upgrade: "the agent is being upgraded",
};

const row = (machineId: string, at: number, rest: Partial<TransitionRow> & Pick<TransitionRow, "kind" | "text">) => ({
  machineId,
  at: new Date(at),
  detail: null,
  severity: null,
  replayed: false,
  changeKey: null,
  ...rest,
});

/** What joins the same change on many machines. Bounded, since it is indexed: a long one ends with its hash. */
const bounded = (key: string): string =>
  key.length <= 200 ? key : `${key.slice(0, 150)}…${createHash("sha256").update(key).digest("hex").slice(0, 32)}`;

/** What changed in the facts, in diagnosis's own words. */
export const changeTransition = (machineId: string, change: Change): TransitionRow =>
  row(machineId, change.at, {
    kind: change.kind,
    text: change.text,
    detail: change.detail,
    replayed: change.replayed,
    changeKey: bounded(change.changeKey),
    sets: change.sets,
  });

export const findingTransition = (
  machineId: string,
  kind: "finding-raised" | "finding-cleared",
  finding: Finding,
  now: number,
): TransitionRow =>
  row(machineId, now, {
    kind,
    text: kind === "finding-raised" ? `${finding.pattern}: ${finding.cause}` : `${finding.pattern} cleared`,
    detail: kind === "finding-raised" ? finding.sentence : finding.cause,
    changeKey: bounded(`${kind}:${finding.pattern}:${finding.cause}`),
  });

export function statusTransition(
  machineId: string,
  from: MachineStatus,
  to: MachineStatus,
  sentence: string,
  now: number,
): TransitionRow {
  const returned = from === "stale" || from === "signed-off";
  return row(machineId, now, {
    kind: returned ? "returned" : "status",
    text: returned
      ? `reports again after it was ${statusWord[from]}: ${statusWord[to]}`
      : `${statusWord[from]} → ${statusWord[to]}`,
    detail: sentence || null,
    severity: to,
  });
}

export const goodbyeTransition = (machineId: string, reason: string, now: number): TransitionRow =>
  row(machineId, now, {
    kind: "goodbye",
    text: `signed off: ${goodbyeWord[reason] ?? reason}`,
    severity: "signed-off",
  });

export const droppedTransition = (machineId: string, count: number, now: number): TransitionRow =>
  row(machineId, now, {
    kind: "outbox-dropped",
    text: `${count} ${count === 1 ? "observation was" : "observations were"} dropped on the machine: its outbox was full`,
  });

export const cloneTransition = (machineId: string, now: number): TransitionRow =>
  row(machineId, now, {
    kind: "clone",
    text: "two machines use this key at once",
    detail: "It takes no part in fleet findings until it is enrolled again.",
  });
