/*
 * How text, numbers and times are shown (interface, section 9). Pure: instant, zone and locale are given.
 * Everything that a machine sent goes through `safeText` before it is shown anywhere: page, ticket, notice, CSV.
 */

/** What is shown where a value was not observed. It differs from zero and from "none". */
export const unknownText = "unknown";

/** Characters of one hostile value on screen. */
const maxShown = 256;

// Controls, bidi marks, zero-width and other invisible characters, line separators, half surrogates.
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** Hostile text made visible: `⟨U+202E⟩` for what would not show or would reorder, at most `max` characters. */
export function safeText(text: string, max = maxShown): string {
  let shown = "";
  let count = 0;
  for (const character of text) {
    if (count++ === max) return `${shown}…`;
    shown += invisible.test(character)
      ? `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`
      : character;
  }
  return shown;
}

/** A host as it can be told apart: letters beyond ASCII as punycode, so that `cоntoso.com` does not pass for `contoso.com`. */
export function safeHost(host: string): string {
  if (/^[\x21-\x7e]*$/.test(host)) return safeText(host);
  try {
    return new URL(`http://${host}`).host;
  } catch {
    return safeText(host);
  }
}

/** One cell of a CSV file: quoted, and never a formula for a spreadsheet. */
export function csvCell(text: string): string {
  const inert = /^[=+\-−@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) || inert !== text ? `"${inert.replaceAll('"', '""')}"` : inert;
}

const minus = (text: string) => text.replace("-", "−");

/** A count, grouped by locale: `10,163`. Null is unknown, which zero is not. */
export function formatCount(count: number | null, locale = "en"): string {
  return count === null || !Number.isFinite(count) ? unknownText : minus(wholeNumbers(locale).format(count));
}
const wholeNumbers = kept((locale) => new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }));

/** Most zones, or locales, whose formatters are kept. */
const mostKept = 64;

/** Makes something once for a key: to make a formatter takes fifty times as long as to use it. */
function kept<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>();
  return (key) => {
    let one = made.get(key);
    if (one === undefined) {
      if (made.size >= mostKept) made.clear();
      one = make(key);
      made.set(key, one);
    }
    return one;
  };
}

/** A share with one decimal; "< 0.1 %" for some but few, never 100.0 % unless all. Stands beside its count. */
export function formatShare(part: number, whole: number): string {
  if (!(whole > 0)) return unknownText;
  const percent = (part / whole) * 100;
  if (percent > 0 && percent < 0.1) return "< 0.1 %";
  if (part < whole && percent > 99.9) return "> 99.9 %";
  return `${percent.toFixed(1)} %`;
}

const units = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
] as const;

/** A duration in two units at most: `9 s`, `26 min`, `2 h 5 min`, `3 d 4 h`. From ten minutes on seconds say nothing. */
export function formatDuration(milliseconds: number | null): string {
  if (milliseconds === null || !Number.isFinite(milliseconds)) return unknownText;
  const sign = milliseconds <= -500 ? "−" : "";
  const total = Math.round(Math.abs(milliseconds) / 1000);
  const index = units.findIndex(([, seconds]) => total >= seconds);
  const [unit, size] = units[index] ?? (["s", 1] as const);
  const [nextUnit, nextSize] = units[index + 1] ?? (["s", 1] as const);
  const first = Math.floor(total / size);
  const second = Math.floor((total % size) / nextSize);
  const short = second === 0 || unit === "s" || (unit === "min" && first >= 10);
  return sign + (short ? `${first} ${unit}` : `${first} ${unit} ${second} ${nextUnit}`);
}

/** Time to answer: milliseconds below one second, then `2.6 s`. */
export function formatLatency(milliseconds: number | null): string {
  if (milliseconds === null || !Number.isFinite(milliseconds)) return unknownText;
  if (milliseconds > 0 && milliseconds < 0.5) return "< 1 ms";
  if (Math.round(milliseconds) < 1000) return minus(`${Math.round(milliseconds)} ms`);
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** An instant in the viewer's zone: today `02:41`, within the last six days `Mon 21:10`, else `17 Nov`, with another year's number. */
export function formatTime(at: number | null, context: { readonly now: number; readonly zone?: string }): string {
  if (at === null || !Number.isFinite(at)) return unknownText;
  const { day, clock, weekday, year, month, dayOfMonth } = dateFormats(context.zone ?? "UTC");
  const time = clock.format(at);
  if (day.format(at) === day.format(context.now)) return time;
  const age = context.now - at;
  if (age > 0 && age < 6 * 86_400_000) return `${weekday.format(at)} ${time}`;
  const sameYear = year.format(at) === year.format(context.now);
  // Not the locale's own month: en-GB writes "Sept", four letters among threes.
  const date = `${dayOfMonth.format(at)} ${month.format(at).slice(0, 3)}`;
  return sameYear ? date : `${date} ${year.format(at)}`;
}

const dateFormats = kept((timeZone) => {
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat("en-GB", { timeZone, ...options });
  return {
    day: format({ year: "numeric", month: "2-digit", day: "2-digit" }),
    clock: format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
    weekday: format({ weekday: "short" }),
    year: format({ year: "numeric" }),
    month: format({ month: "short" }),
    dayOfMonth: format({ day: "numeric" }),
  };
});

/** A name on one line, cut in the middle since heads and tails differ: `MNL-FRONT…3-EAST-02`. `max` counts characters. */
export function middleCut(text: string, max: number): string {
  const characters = [...text];
  if (characters.length <= max) return text;
  if (max <= 1) return "…".slice(0, Math.max(0, max));
  const head = Math.ceil((max - 1) / 2);
  const tail = max - 1 - head;
  return `${characters.slice(0, head).join("")}…${tail === 0 ? "" : characters.slice(-tail).join("")}`;
}

/** `host:port` cut inside the host: the port stays whole. */
export function middleCutHost(hostPort: string, max: number): string {
  const port = /:\d{1,5}$/.exec(hostPort)?.[0] ?? "";
  return middleCut(hostPort.slice(0, hostPort.length - port.length), max - port.length) + port;
}

/** Natural order for sorting: LT-9 before LT-10. */
export function compareNatural(a: string, b: string): number {
  return collator.compare(a, b);
}
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
