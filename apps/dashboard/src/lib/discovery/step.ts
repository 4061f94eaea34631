/** One thing that was looked for, ready to show. */
export interface Step {
  /** What was asked: `SRV _autodiscover._tcp.example.org`. */
  what: string;
  /** `found` helps; `missing` is an answer; `refused` was not asked, on purpose; `failed` gave no usable answer. */
  outcome: "found" | "missing" | "refused" | "failed";
  /** The answer in words: `10.40.8.21`, `401 from EX03`, `no such name`. */
  answer: string;
  /** Milliseconds until the answer. */
  ms: number;
}

/** What a look-up works with; all of it injected. */
export interface Context {
  names: Names;
  /** Milliseconds, only differences count. */
  monotonic: () => number;
  /** Ends everything. */
  signal: AbortSignal;
  /** Whether a server may be asked at this address. */
  allowed: (address: string) => boolean;
  /** For https when no record names a port: 443. */
  httpsPort: number;
  /** One question, in ms. */
  timeoutMs: number;
}

/** DNS as this server sees it. An empty list: the name or record does not exist. Rejects when DNS itself fails. */
export interface Names {
  addresses: (host: string) => Promise<string[]>;
  services: (name: string) => Promise<{ host: string; port: number }[]>;
}

/** Runs one question with its time limit and measures it. A rejection becomes a `failed` step. */
export async function timed<T>(
  context: Context,
  what: string,
  ask: () => Promise<{ outcome: Step["outcome"]; answer: string; value: T }>,
  none: T,
): Promise<{ step: Step; value: T }> {
  const began = context.monotonic();
  const stop = new AbortController();
  try {
    const { outcome, answer, value } = await Promise.race([ask(), timeout(context, stop.signal)]);
    return { step: { what, outcome, answer, ms: Math.round(context.monotonic() - began) }, value };
  } catch (error) {
    const answer = error instanceof Error ? error.message.slice(0, 256) : "no answer";
    return { step: { what, outcome: "failed", answer, ms: Math.round(context.monotonic() - began) }, value: none };
  } finally {
    stop.abort();
  }
}

function timeout(context: Context, over: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no answer in ${(context.timeoutMs / 1000).toFixed(0)} s`)),
      context.timeoutMs,
    );
    const ended = () => reject(new Error("stopped: looking took too long"));
    context.signal.addEventListener("abort", ended, { once: true });
    over.addEventListener("abort", () => {
      clearTimeout(timer);
      context.signal.removeEventListener("abort", ended);
    });
  });
}
