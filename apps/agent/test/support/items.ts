import type { OutboxItem } from "../../src/outbox/outbox.ts";

export const observation = (key: string, facts: unknown = { key }): OutboxItem => ({
  type: "observation",
  at: Date.UTC(2026, 10, 22, 8),
  kind: "wpad",
  key,
  location: "inside",
  digest: "0123456789abcdef",
  facts,
});

export const confirmation = (key: string): OutboxItem => ({
  type: "confirmation",
  at: Date.UTC(2026, 10, 22, 8),
  key,
  location: "inside",
  digest: "0123456789abcdef",
  timings: null,
});
