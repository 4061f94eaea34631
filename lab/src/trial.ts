import type { Machine } from "@lynceus/protocol/read-api";
import { describe, type Expected, holds } from "./expect.ts";
import type { Lab } from "./lab.ts";

/** One fault of a round, and what the clients that it concerns must come to. */
export interface Fault {
  readonly name: string;
  readonly clients: Readonly<Record<string, Expected>>;
}

/** Faults that are made at the same time, and mended at the same time. */
export interface Round {
  readonly faults: readonly Fault[];
  make(): void | Promise<void>;
  mend(): void | Promise<void>;
  /** Called while waiting, with what the collector shows: for faults that come and go. */
  step?(machines: ReadonlyMap<string, Machine>): void | Promise<void>;
  /** Clients that no fault of the round concerns, and what they show throughout. */
  readonly others: Readonly<Record<string, Expected>>;
  /** What every client is without a fault. */
  readonly well: Readonly<Record<string, Expected>>;
}

export interface ClientResult {
  readonly name: string;
  readonly expected: string;
  /** Cycles until it was shown, and until the client was shown well again; null where it did not come to that. */
  readonly found: number | null;
  readonly cleared: number | null;
}
export interface FaultResult {
  readonly name: string;
  readonly clients: readonly ClientResult[];
  readonly falseFindings: number;
}

const words = (expected: Expected): string =>
  [expected.primary ?? "none", "beside" in expected ? expected.beside : undefined].filter((part) => part).join(" and ");

/**
 * When a machine probed EWS since an instant, on the configured route of the settings in force: once in each cycle. A
 * change of settings counts from when the agent has read it. The ring holds ten.
 */
function probedSince(machine: Machine, since: number): { settings: string; at: number[] } {
  const slots = Object.values(machine.facts.probes).filter(
    ({ facts }) => facts.endpoint.service === "ews" && facts.via === "configured",
  );
  const [newest] = slots.sort((a, b) => b.at - a.at);
  const at = newest?.ring.map((entry) => entry.at).filter((instant) => instant > since) ?? [];
  return { settings: newest?.facts.configuration ?? "", at };
}

/**
 * Waits until every client is as expected, all at the same moment, and says after how many cycles each first was.
 * @param watched clients that must show nothing else meanwhile; those that did are returned.
 * @throws when the limit passes, saying what each client is instead.
 */
async function settled(
  lab: Lab,
  expected: Readonly<Record<string, Expected>>,
  since: number,
  watched: Readonly<Record<string, Expected>>,
  step: Round["step"],
  limitSeconds: number,
): Promise<{ first: Map<string, number>; deviated: Set<string> }> {
  const first = new Map<string, number>();
  const cycles = new Map<string, Set<number>>();
  const deviated = new Set<string>();
  const deadline = Date.now() + limitSeconds * 1000;
  for (;;) {
    const machines = new Map((await lab.machines()).map((machine) => [machine.hostname, machine]));
    for (const [name, want] of Object.entries(expected)) {
      const machine = machines.get(name);
      if (!machine || first.has(name)) continue;
      const { settings, at } = probedSince(machine, since);
      const key = `${name} ${settings}`;
      const counted = new Set([...(cycles.get(key) ?? []), ...at]);
      cycles.set(key, counted);
      if (holds(machine, want)) first.set(name, counted.size);
    }
    for (const [name, want] of Object.entries(watched)) {
      const machine = machines.get(name);
      if (machine?.primary && machine.primary.pattern !== want.primary) deviated.add(name);
    }
    const wrong = Object.entries({ ...expected, ...watched }).filter(
      ([name, want]) => !holds(machines.get(name), want),
    );
    if (wrong.length === 0) return { first, deviated };
    if (Date.now() > deadline)
      throw new Error(wrong.map(([name, want]) => describe(name, machines.get(name), want)).join("\n"));
    await step?.(machines);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Makes the faults of a round, waits until all are found, mends them, and waits until all are well. */
export async function runRound(lab: Lab, round: Round, limitSeconds = 150): Promise<FaultResult[]> {
  const expected = Object.assign({}, ...round.faults.map(({ clients }) => clients)) as Record<string, Expected>;
  let since = Date.now();
  await round.make();
  const found = await settled(lab, expected, since, round.others, round.step, limitSeconds);
  since = Date.now();
  await round.mend();
  const { first: cleared } = await settled(lab, round.well, since, {}, undefined, limitSeconds);
  return round.faults.map(({ name, clients }) => ({
    name,
    clients: Object.entries(clients).map(([client, want]) => ({
      name: client,
      expected: words(want),
      found: found.first.get(client) ?? null,
      cleared: cleared.get(client) ?? null,
    })),
    falseFindings: found.deviated.size,
  }));
}
