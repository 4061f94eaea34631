/**
 * What became of one try to deliver. The collector stores it with the notice and shows it; `reason` and `detail` are one
 * line, safe to show, without secrets.
 */
export type Outcome =
  | { readonly outcome: "delivered"; readonly detail: string }
  /** Worth another try: not before `afterMs` where the other side named a time, milliseconds from now. */
  | { readonly outcome: "retry"; readonly afterMs: number | null; readonly reason: string }
  /** Another try would fare no better: a dead letter. */
  | { readonly outcome: "rejected"; readonly reason: string };

export const delivered = (detail: string): Outcome => ({ outcome: "delivered", detail });
export const retry = (reason: string, afterMs: number | null = null): Outcome => ({
  outcome: "retry",
  afterMs,
  reason,
});
export const rejected = (reason: string): Outcome => ({ outcome: "rejected", reason });

/** No server makes us wait longer than this; what it asks for beyond is not believed. */
const maxAfterMs = 3_600_000;

/**
 * Milliseconds that a `Retry-After` header asks for: seconds or an HTTP date (RFC 9110 section 10.2.3). Null when there is
 * none or it cannot be read.
 */
export function parseRetryAfter(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? "";
  // A date has letters; without this check `Date.parse` would read -5 as a year.
  const after = /^\d{1,9}$/.test(text)
    ? Number(text) * 1000
    : /^[A-Z][a-z]/.test(text)
      ? Date.parse(text) - now
      : Number.NaN;
  return Number.isFinite(after) ? Math.min(Math.max(after, 0), maxAfterMs) : null;
}

/** An HTTP answer as far as it decides anything. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly location: string | undefined;
  /** The beginning of the body. */
  readonly body: string;
}

/** Statuses that pass: timeout, too early, too many, and everything that is the server's own fault. */
const passing = (status: number) =>
  status === 408 || status === 425 || status === 429 || (status >= 500 && status <= 599);

/**
 * What an HTTP answer means for the delivery, the same for every receiver: 2xx delivered; 408, 425, 429 and 5xx try again;
 * all else rejected. A redirect is not followed, since it may lead past the fence: it is rejected, and says where to.
 */
export function outcomeOfAnswer({ status, retryAfter, location, body }: Answer, now: number): Outcome {
  const said = body.replace(/\s+/g, " ").trim().slice(0, 200);
  const text = `HTTP ${status}${said === "" ? "" : `: ${said}`}`;
  if (status >= 200 && status <= 299) return delivered(text);
  if (passing(status)) return retry(text, parseRetryAfter(retryAfter, now));
  if (status >= 300 && status <= 399)
    return rejected(
      `HTTP ${status}: redirects${location ? ` to ${location.slice(0, 200)}` : ""}; set the final address`,
    );
  return rejected(text);
}

/** Codes of errors that are ours or the configuration's: the next try would meet the same. */
const permanent = new Set(["EFENCED", "ERR_INVALID_URL", "ERR_INVALID_CHAR", "ERR_UNESCAPED_CHARACTERS"]);

/**
 * What an error on the way means: the network may be back in a minute, a certificate may be renewed, so all but a few are
 * worth another try.
 */
export function outcomeOfError(error: unknown): Outcome {
  const { code, message } = describe(error);
  const text = code !== "" && !message.includes(code) ? `${message} (${code})` : message;
  return permanent.has(code) ? rejected(text) : retry(text);
}

function describe(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: "", message: "unknown error" };
  // Several addresses failed: the first one says enough.
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const code = (first as NodeJS.ErrnoException).code;
  return { code: typeof code === "string" ? code : "", message: first.message.replace(/\s+/g, " ").slice(0, 200) };
}
