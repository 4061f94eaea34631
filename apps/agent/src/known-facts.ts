/*
 * Which facts the collector has, or will have once the outbox is through: the digest last queued per key. Kept in
 * memory alone: after a start everything is sent in full once, which costs the collector no row where nothing changed.
 */
export interface KnownFacts {
  /** Whether these facts need not be sent again. */
  holds(key: string, digest: string, location: string, now: number): boolean;
  remember(key: string, digest: string, location: string, seq: number, now: number): void;
  /** The entry that carried the facts was given up. */
  forget(key: string, seq: number): void;
  forgetAll(): void;
}

/** Full facts are sent again after this, whatever happens: a collector that lost something heals within a day. */
const refreshMs = 24 * 3_600_000;

/** @param maxKeys bound on memory; beyond it the key that was longest unused is forgotten. */
export function knownFacts(maxKeys = 4096): KnownFacts {
  const known = new Map<string, { digest: string; location: string; seq: number; since: number }>();
  return {
    holds(key, digest, location, now) {
      const entry = known.get(key);
      if (!entry || entry.digest !== digest || entry.location !== location || now - entry.since >= refreshMs)
        return false;
      known.delete(key);
      known.set(key, entry);
      return true;
    },
    remember(key, digest, location, seq, now) {
      known.delete(key);
      known.set(key, { digest, location, seq, since: now });
      if (known.size > maxKeys) {
        const oldest = known.keys().next();
        if (!oldest.done) known.delete(oldest.value);
      }
    },
    forget(key, seq) {
      if (known.get(key)?.seq === seq) known.delete(key);
    },
    forgetAll: () => known.clear(),
  };
}
