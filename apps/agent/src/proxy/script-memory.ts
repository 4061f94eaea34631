import type { PacAnswer } from "@lynceus/pac/engine";
import type { Clock } from "../probes/context.ts";
import type { FetchedScript } from "./fetch-script.ts";

/** A script with what its server wants to hear when it is asked again. */
export interface KeptScript {
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly script: FetchedScript;
}

/**
 * What earlier cycles learnt of proxy scripts, so that an unchanged one is neither sent again nor run again
 * (domain 5.0 rule 15). Bounded, in memory, as old as the process.
 */
export interface ScriptMemory {
  /** The last good fetch of an address, where its server named a version. */
  fetched(address: string): KeptScript | null;
  keep(address: string, script: KeptScript): void;
  /** Answers of a script by URL, for the caller to read and to add to. Null for a script whose answers do not last. */
  answers(script: string, sha256: string, myIpAddress: string): Map<string, PacAnswer> | null;
}

const maxScripts = 8;
/** A larger one is fetched anew each time. */
const maxKeptBytes = 256 * 1024;
const maxAnswers = 1024;
/** Domain 6.2: whatever seems unchanged, every six hours it is looked at anew. */
const lifetimeMs = 6 * 3_600_000;

/** What makes a script's answer depend on more than its text, the URL and the machine's address. */
const passing =
  /\b(?:timeRange|dateRange|weekdayRange|Date|random|dnsResolve\w*|isResolvable\w*|isInNet\w*|eval|Function)\b/;
/** `isInNet` of the machine's own address asks nobody. */
const ownNet = /\bisInNet\s*\(\s*myIpAddress\s*\(\s*\)/g;

export const lasts = (script: string): boolean => !passing.test(script.replace(ownNet, ""));

export function scriptMemory(clock: Clock): ScriptMemory {
  const scripts = new Map<string, KeptScript>();
  const answers = new Map<string, { readonly since: number; readonly byUrl: Map<string, PacAnswer> }>();

  /** The newest is last, the oldest goes. */
  function put<T>(map: Map<string, T>, key: string, value: T): void {
    map.delete(key);
    map.set(key, value);
    const [oldest] = map.keys();
    if (map.size > maxScripts && oldest !== undefined) map.delete(oldest);
  }

  return {
    fetched: (address) => scripts.get(address) ?? null,
    keep(address, kept) {
      if ((kept.script.body?.length ?? Number.POSITIVE_INFINITY) > maxKeptBytes) scripts.delete(address);
      else put(scripts, address, kept);
    },
    answers(script, sha256, myIpAddress) {
      if (!lasts(script)) return null;
      const key = `${sha256} ${myIpAddress}`;
      const now = clock.monotonic();
      const known = answers.get(key);
      const fresh = known !== undefined && now - known.since < lifetimeMs && known.byUrl.size <= maxAnswers;
      const entry = fresh ? known : { since: now, byUrl: new Map<string, PacAnswer>() };
      put(answers, key, entry);
      return entry.byUrl;
    },
  };
}
