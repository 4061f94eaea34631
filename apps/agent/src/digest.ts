import { createHash } from "node:crypto";
import type { ObservationKind, PhaseTimings, ProbeFacts } from "@lynceus/protocol/facts";

/*
 * What "unchanged" means (domain 5.0 rule 13). Left out: durations, the values of headers that differ with every
 * answer, the order of addresses. A header's presence stays in, so that one that vanishes is a change.
 */

/** Headers whose value is new with each answer. */
const volatileHeaders = new Set([
  "date",
  "age",
  "request-id",
  "x-request-id",
  "x-ms-correlation-id",
  "x-ms-diagnostics",
  "x-cache",
  "x-iinfo",
  "cf-ray",
  "retry-after",
  "content-length",
]);
/** Round-robin DNS turns these about. */
const unordered = new Set(["addresses", "privateAddresses", "users", "srv"]);
const durations = new Set(["ms", "totalMs"]);
/** A clock is measured to a second or so; a minute is a change (Kerberos allows five). */
const skewStepMs = 60_000;

/** Which hosts answered in this cycle is chance; that a clock of one kind is off by another minute is news. */
const skewsOf = (sources: readonly unknown[]): string[] => {
  const steps = sources.map((one) => {
    const { source, skewMs } = one as { source?: unknown; skewMs?: unknown };
    return `${String(source)} ${typeof skewMs === "number" ? Math.round(skewMs / skewStepMs) || 0 : "unknown"}`;
  });
  return [...new Set(steps)].sort();
};

function stable(value: unknown, name: string, inHeaders: boolean): unknown {
  if (name === "clockSources" && Array.isArray(value)) return skewsOf(value);
  if (Array.isArray(value)) {
    const items = value.map((item) => stable(item, "", false));
    if (!unordered.has(name)) return items;
    return items
      .map((item) => JSON.stringify(item))
      .sort()
      .map((text) => JSON.parse(text));
  }
  if (typeof value === "object" && value !== null) {
    const result: Record<string, unknown> = {};
    for (const key of Object.keys(value).sort()) {
      if (!inHeaders && durations.has(key)) continue;
      const item = (value as Record<string, unknown>)[key];
      if (item === undefined) continue;
      result[key] = inHeaders && volatileHeaders.has(key) ? "*" : stable(item, key, key === "headers");
    }
    return result;
  }
  if (name === "clockSkewMs" && typeof value === "number") return Math.round(value / skewStepMs);
  return value;
}

/**
 * Hex prefix (32 characters) of SHA-256 over the canonical JSON of the facts without their volatile parts.
 * Equal for facts that say the same, whatever the order of their keys.
 */
export function factsDigest(kind: ObservationKind, facts: unknown): string {
  return createHash("sha256")
    .update(`${kind}\n${JSON.stringify(stable(facts, "", false))}`)
    .digest("hex")
    .slice(0, 32);
}

/** Milliseconds per phase of a probe, as its confirmation carries them. */
export function phaseTimings(facts: ProbeFacts): PhaseTimings {
  return {
    dns: facts.dns?.ms ?? null,
    tcp: facts.tcp?.ms ?? null,
    connect: facts.connect?.ms ?? null,
    tls: facts.tls?.ms ?? null,
    http: facts.http?.ms ?? null,
    total: facts.totalMs,
  };
}
