import { confidences, locations, machineStatuses, patternIds, severities, verdicts } from "./name-lists.ts";

/*
 * The filter language: one grammar for the machines table, saved views, the API's `q=` and Grafana
 * (docs: filter language). Pure: the instant and the viewer's zone are given.
 *
 *   query = { term }                        space = and
 *   term  = [-] ( field op value {,value} | value )
 *   op    = : < > <= >=
 *   value = word | "…"                      * at the start or end matches any run
 */

/** At most this many terms and characters: a filter is typed or pasted by hand. */
export const filterLimits = { terms: 20, chars: 512 } as const;

export type FilterOp = ":" | "<" | ">" | "<=" | ">=";

/**
 * What a field holds. `enum`: one of `values`; `text`: anything; `route`: `host[:port]` or direct; `hash`: a hex
 * prefix; `subnet`: an address or CIDR; `time`: an instant; `number`: milliseconds.
 */
export interface FilterFieldInfo {
  readonly type: "enum" | "text" | "route" | "hash" | "subnet" | "time" | "number";
  /** What the field asks, for completion. */
  readonly title: string;
  readonly example: string;
  readonly values?: readonly string[];
  /** `field:none` asks for machines that have none; it differs from unknown, which was not observed. */
  readonly none?: true;
}

/** Every field of the language. The order is that of completion. */
export const filterFields = {
  status: { type: "enum", title: "Status", values: machineStatuses, example: "status:failing" },
  severity: { type: "enum", title: "Severity", values: severities, example: "severity:prompting", none: true },
  pattern: {
    type: "enum",
    title: "Finding, primary or contributing",
    values: patternIds,
    example: "pattern:proxy-auth-required",
    none: true,
  },
  primary: {
    type: "enum",
    title: "Primary finding",
    values: patternIds,
    example: "primary:pac-unreachable",
    none: true,
  },
  confidence: { type: "enum", title: "Confidence", values: confidences, example: "confidence:high", none: true },
  cause: { type: "text", title: "Cause of the primary finding", example: 'cause:"*px1*"', none: true },
  incident: { type: "text", title: "Incident", example: "incident:142", none: true },
  /** Of an incident: what routes choose by. */
  urgency: { type: "enum", title: "Urgency of the incident", values: ["high", "low"], example: "urgency:high" },
  site: { type: "text", title: "Site", example: "site:Manila", none: true },
  location: { type: "enum", title: "Where the machine is", values: locations, example: "location:inside" },
  subnet: { type: "subnet", title: "Private address", example: "subnet:10.40.0.0/16" },
  route: { type: "route", title: "Configured route of EWS", example: "route:px1.contoso.com:8080" },
  by: {
    type: "enum",
    title: "What chose the route",
    values: ["auto-detect", "pac", "manual", "bypass", "implicit", "none", "environment", "forced"],
    example: "by:pac",
  },
  pac: { type: "hash", title: "Script, by hash", example: "pac:3fa91c", values: ["file"], none: true },
  zone: { type: "enum", title: "Zone of EWS", values: ["intranet", "trusted", "internet"], example: "zone:intranet" },
  verdict: { type: "enum", title: "EWS, configured route", values: verdicts, example: "verdict:proxy-auth-required" },
  direct: { type: "enum", title: "EWS, direct route", values: verdicts, example: "direct:exchange-onprem" },
  step: {
    type: "enum",
    title: "First failed step",
    values: ["dns", "tcp", "connect", "tls", "http", "auth"],
    example: "step:connect",
    none: true,
  },
  target: { type: "text", title: "Target that fails", example: "target:autodiscover-contoso.com" },
  issuer: { type: "text", title: "TLS issuer of EWS", example: "issuer:*zscaler*" },
  resolver: { type: "text", title: "DNS resolver", example: "resolver:10.40.0.53" },
  server: { type: "text", title: "Exchange server", example: "server:EX03" },
  winhttp: { type: "text", title: "WinHTTP proxy", example: "winhttp:direct" },
  os: { type: "enum", title: "System", values: ["windows", "macos", "linux", "other"], example: "os:windows" },
  agent: { type: "text", title: "Agent version", example: "agent:0.1.*" },
  tag: { type: "text", title: "Tag", example: "tag:pilot", none: true },
  simulated: { type: "enum", title: "Simulated machine", values: ["yes", "no"], example: "simulated:no" },
  name: { type: "text", title: "Name", example: "name:MNL-*" },
  since: { type: "time", title: "Present status began", example: "since>2h" },
  seen: { type: "time", title: "Last seen", example: "seen<15m" },
  changed: { type: "time", title: "Settings last changed", example: "changed>=2026-11-24T02:12" },
  skew: { type: "number", title: "Clock skew, milliseconds", example: "skew>5m" },
  ms: { type: "number", title: "EWS time to answer, milliseconds", example: "ms>2000" },
} as const satisfies Record<string, FilterFieldInfo>;
export type FilterField = keyof typeof filterFields;

/** A limit of a range; null on the other side of it means no limit. */
export interface FilterBound {
  readonly value: number;
  readonly inclusive: boolean;
}

/** One alternative of a term. `text` is the value as written, unquoted, in its canonical case. */
export type FilterValue =
  /** Compared without regard to case; `needle` holds no wildcard. */
  | {
      readonly kind: "text";
      readonly text: string;
      readonly match: "exact" | "prefix" | "suffix" | "contains";
      readonly needle: string;
    }
  /** Of time fields in milliseconds since 1970, of number fields in milliseconds. The operator is in it already. */
  | {
      readonly kind: "range";
      readonly text: string;
      readonly min: FilterBound | null;
      readonly max: FilterBound | null;
    }
  | { readonly kind: "subnet"; readonly text: string; readonly cidr: string }
  /** Not observed. Never matched by `-field:x`. */
  | { readonly kind: "unknown"; readonly text: "unknown" }
  /** Observed, and there is none. */
  | { readonly kind: "none"; readonly text: "none" };

export interface FilterTerm {
  readonly negated: boolean;
  readonly field: FilterField;
  readonly op: FilterOp;
  /** Alternatives, at least one. */
  readonly values: readonly FilterValue[];
}

export interface FilterError {
  /** Half-open range of the text that is wrong, in UTF-16 units from 0. */
  readonly start: number;
  readonly end: number;
  readonly value: string;
  readonly rule: string;
  readonly example: string;
  /** All of it in one line. */
  readonly message: string;
}

export interface FilterContext {
  /** Milliseconds since 1970: what "2h ago" counts from. */
  readonly now: number;
  /** IANA zone of the viewer for times without one; UTC when absent or unknown. */
  readonly zone?: string;
}

export interface ParsedFilter {
  /** The terms that parse stay in force beside the errors. */
  readonly terms: FilterTerm[];
  readonly errors: FilterError[];
}

/** What is wrong with a value: the parser knows where. */
interface Problem {
  readonly rule: string;
  readonly example: string;
}
const isProblem = (result: FilterValue | Problem): result is Problem => "rule" in result;

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** `2h` in milliseconds, or null. */
function parseDuration(text: string): number | null {
  const match = /^(\d{1,9})(ms|s|m|h|d|w)$/.exec(text.toLowerCase());
  return match ? Number(match[1]) * unitMs[match[2] as keyof typeof unitMs] : null;
}

/** Milliseconds by which the wall clock of a zone is ahead of UTC at an instant. */
function zoneOffset(at: number, zone: string): number {
  let parts: Intl.DateTimeFormatPart[];
  try {
    parts = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    }).formatToParts(at);
  } catch {
    return 0;
  }
  const part = (type: string) => Number(parts.find((p) => p.type === type)?.value);
  const wall = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return wall - Math.floor(at / 1000) * 1000;
}

/** The instant at which a zone's clock shows `wall` (given as if it were UTC). */
function fromWall(wall: number, zone: string): number {
  const guess = wall - zoneOffset(wall, zone);
  // The offset at the guess differs from the first one next to a change of the clocks.
  return wall - zoneOffset(guess, zone);
}

/** First instant of a written time and the first one after it: a date is a whole day, `02:12` a minute. */
function parseTime(text: string, zone: string): { from: number; to: number } | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?)?(Z|[+-]\d\d:\d\d)?$/i.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((i) => Number(match[i] ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(wall);
  // Date.UTC carries 31 November over into December; such a day is a mistake.
  if (year < 1970 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  if (hour > 23 || minute > 59 || second > 59) return null;
  const length = match[4] === undefined ? unitMs.d : match[6] === undefined ? unitMs.m : unitMs.s;
  const offset = match[7]?.toUpperCase();
  if (offset === undefined) return { from: fromWall(wall, zone), to: fromWall(wall + length, zone) };
  const [hours, minutes] = offset === "Z" ? [0, 0] : [Number(offset.slice(0, 3)), Number(offset.slice(4))];
  if (Math.abs(hours) > 14 || minutes > 59) return null;
  const ahead = (Math.abs(hours) * 60 + minutes) * 60_000 * (offset.startsWith("-") ? -1 : 1);
  return { from: wall - ahead, to: wall - ahead + length };
}

const bound = (value: number, inclusive: boolean): FilterBound => ({ value, inclusive });

function timeValue(text: string, op: FilterOp, context: FilterContext): FilterValue | Problem {
  const duration = parseDuration(text);
  if (duration !== null) {
    const at = context.now - duration;
    // A greater age is an earlier instant. `changed:2h` reads "within the last two hours".
    const [min, max] =
      op === ":"
        ? [bound(at, true), null]
        : op.startsWith(">")
          ? [null, bound(at, op === ">=")]
          : [bound(at, op === "<="), null];
    return { kind: "range", text: text.toLowerCase(), min, max };
  }
  const time = parseTime(text, context.zone ?? "UTC");
  if (time === null)
    return {
      rule: "a time is an age such as 2h (s, m, h, d, w), or a date with or without time and zone",
      example: "since>2h or since>=2026-11-24T02:12",
    };
  const [min, max] = {
    ":": [bound(time.from, true), bound(time.to, false)],
    ">": [bound(time.to, true), null],
    ">=": [bound(time.from, true), null],
    "<": [null, bound(time.from, false)],
    "<=": [null, bound(time.to, false)],
  }[op] as [FilterBound | null, FilterBound | null];
  return { kind: "range", text: text.toUpperCase(), min, max };
}

function numberValue(text: string, op: FilterOp, example: string): FilterValue | Problem {
  const value = /^-?\d{1,15}(\.\d{1,6})?$/.test(text) ? Number(text) : parseDuration(text);
  if (value === null)
    return { rule: "a number of milliseconds, or a duration with a unit (ms, s, m, h, d, w)", example };
  const at = bound(value, op !== "<" && op !== ">");
  const [min, max] = op === ":" ? [at, at] : op.startsWith(">") ? [at, null] : [null, at];
  return { kind: "range", text: text.toLowerCase(), min, max };
}

/** Bytes of an IPv4 address, or null. */
function ipv4Bytes(text: string): number[] | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((p) => /^(0|[1-9]\d{0,2})$/.test(p) && Number(p) <= 255)) return null;
  return parts.map(Number);
}

/** An IPv6 address in the short form of RFC 5952 as the URL parser writes it, or null. */
function ipv6Text(text: string): string | null {
  if (!/^[0-9a-f:.]{2,45}$/i.test(text) || !text.includes(":")) return null;
  try {
    return new URL(`http://[${text}]`).hostname.slice(1, -1);
  } catch {
    return null;
  }
}

function subnetValue(text: string): FilterValue | Problem {
  const [address = "", prefix, ...rest] = text.split("/");
  const v4 = ipv4Bytes(address);
  const canonical = v4 ? address : ipv6Text(address);
  const most = v4 ? 32 : 128;
  const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (canonical === null || bits < 0 || bits > most || rest.length > 0)
    return { rule: "an address or a subnet in CIDR form", example: "subnet:10.40.0.0/16" };
  return { kind: "subnet", text: text.toLowerCase(), cidr: `${canonical}/${bits}` };
}

/** Takes the wildcards off a text. Null when one stands in the middle or nothing else is left. */
function wildcards(text: string): { match: "exact" | "prefix" | "suffix" | "contains"; needle: string } | null {
  const start = text.startsWith("*");
  const end = text.length > 1 && text.endsWith("*");
  const needle = text.slice(start ? 1 : 0, end ? -1 : undefined);
  if (needle === "" || needle.includes("*")) return null;
  return { match: start ? (end ? "contains" : "suffix") : end ? "prefix" : "exact", needle };
}

const matchers = {
  exact: (value: string, needle: string) => value === needle,
  prefix: (value: string, needle: string) => value.startsWith(needle),
  suffix: (value: string, needle: string) => value.endsWith(needle),
  contains: (value: string, needle: string) => value.includes(needle),
};

function textValue(text: string, info: FilterFieldInfo): FilterValue | Problem {
  const wild = wildcards(text);
  if (wild === null)
    return {
      rule: text.replaceAll("*", "") === "" ? "a value beside the *" : "* matches any run at the start or end only",
      example: info.example,
    };
  if (info.type === "enum") {
    const values = info.values ?? [];
    const lower = { ...wild, needle: wild.needle.toLowerCase() };
    if (!values.some((value) => matchers[lower.match](value, lower.needle))) {
      const listed = values.length > 8 ? `${values.slice(0, 8).join(", ")}, …` : values.join(", ");
      return { rule: `one of ${listed}`, example: info.example };
    }
    return { kind: "text", text: text.toLowerCase(), ...lower };
  }
  if (info.type === "route" && wild.match === "exact") {
    const lower = text.toLowerCase();
    // A host alone means any port of it.
    const alone = lower !== "direct" && !/:\d+$/.test(lower);
    return { kind: "text", text: lower, match: alone ? "prefix" : "exact", needle: alone ? `${lower}:` : lower };
  }
  if (info.type === "hash") {
    const lower = text.toLowerCase();
    if (info.values?.includes(lower)) return { kind: "text", text: lower, match: "exact", needle: lower };
    if (wild.match === "suffix" || wild.match === "contains" || !/^[0-9a-f]{1,64}$/i.test(wild.needle))
      return { rule: "the first hex digits of the script's hash, file, or none", example: info.example };
    return { kind: "text", text: lower, match: "prefix", needle: wild.needle.toLowerCase() };
  }
  return { kind: "text", text, ...wild };
}

/** One word or quoted string, as scanned. */
interface Token {
  readonly text: string;
  readonly quoted: boolean;
  readonly start: number;
  readonly end: number;
}

function parseValue(token: Token, field: FilterField, op: FilterOp, context: FilterContext): FilterValue | Problem {
  const info: FilterFieldInfo = filterFields[field];
  if (token.text === "") return { rule: "a value after the field", example: info.example };
  // PostgreSQL stores no NUL, and no name that a machine has holds half a character.
  if (/\p{Cc}|\p{Cs}/u.test(token.text)) return { rule: "no control characters", example: info.example };
  if (!token.quoted && op === ":") {
    const word = token.text.toLowerCase();
    if (word === "unknown") return { kind: "unknown", text: "unknown" };
    if (word === "none" && info.none) return { kind: "none", text: "none" };
  }
  if (info.type === "time") return timeValue(token.text, op, context);
  if (info.type === "number") return numberValue(token.text, op, info.example);
  if (op !== ":") return { rule: `${op} compares times and numbers; ${field} takes :`, example: info.example };
  return info.type === "subnet" ? subnetValue(token.text) : textValue(token.text, info);
}

const isSpace = (c: string | undefined) => c !== undefined && /\s/.test(c);

/** Scans a value from `start`: a quoted string to its closing mark, or a word to a space or comma. */
function scanValue(text: string, start: number): Token & { readonly closed: boolean } {
  if (text[start] !== '"') {
    let end = start;
    while (end < text.length && !isSpace(text[end]) && text[end] !== ",") end++;
    return { text: text.slice(start, end), quoted: false, start, end, closed: true };
  }
  let value = "";
  let i = start + 1;
  for (; i < text.length && text[i] !== '"'; i++) {
    if (text[i] === "\\" && (text[i + 1] === '"' || text[i + 1] === "\\")) i++;
    value += text[i];
  }
  const closed = i < text.length;
  return { text: value, quoted: true, start, end: closed ? i + 1 : i, closed };
}

function error(text: string, start: number, end: number, problem: Problem): FilterError {
  const value = text.slice(start, end);
  const shown = value.length > 40 ? `${value.slice(0, 40)}…` : value;
  return {
    start,
    end,
    value: shown,
    ...problem,
    message: `At ${start + 1}, "${shown}": ${problem.rule}; such as ${problem.example}`,
  };
}

/** A name contains this text: what a word without a field means. */
function bareTerm(token: Token, negated: boolean, context: FilterContext): FilterTerm | Problem {
  const value =
    token.text.includes("*") || token.text === ""
      ? parseValue({ ...token, quoted: true }, "name", ":", context)
      : parseValue({ ...token, quoted: true, text: `*${token.text}*` }, "name", ":", context);
  return isProblem(value) ? value : { negated, field: "name", op: ":", values: [value] };
}

/**
 * Parses a filter. Never throws; each error names the position, the bad value, the rule and an example, and the
 * terms that parse stay in force.
 */
export function parseFilter(text: string, context: FilterContext): ParsedFilter {
  const terms: FilterTerm[] = [];
  const errors: FilterError[] = [];
  const end = Math.min(text.length, filterLimits.chars);
  if (text.length > filterLimits.chars)
    errors.push(
      error(text, filterLimits.chars, text.length, {
        rule: `a filter has at most ${filterLimits.chars} characters`,
        example: "a saved view for each half",
      }),
    );
  let count = 0;
  let i = 0;
  while (i < end) {
    if (isSpace(text[i])) {
      i++;
      continue;
    }
    const start = i;
    const scanned = scanTerm(text, start, context);
    i = scanned.end;
    // A term that the limit cuts in two is not in force: half a value is another value.
    if (i > end) break;
    if (++count > filterLimits.terms) {
      errors.push(
        error(text, start, end, {
          rule: `a filter has at most ${filterLimits.terms} terms`,
          example: "a saved view for each half",
        }),
      );
      break;
    }
    errors.push(...scanned.errors);
    if (scanned.term) terms.push(scanned.term);
  }
  return { terms, errors };
}

interface ScannedTerm {
  readonly end: number;
  readonly term: FilterTerm | null;
  readonly errors: FilterError[];
}

function scanTerm(text: string, start: number, context: FilterContext): ScannedTerm {
  const negated = text[start] === "-";
  const body = negated ? start + 1 : start;
  // Sticky, so that a long text is not copied for each term.
  const head = /([A-Za-z][A-Za-z-]{0,31})(<=|>=|:|<|>)/y;
  head.lastIndex = body;
  const match = head.exec(text);
  if (!match) return scanBare(text, start, body, negated, context);

  const name = (match[1] as string).toLowerCase();
  const op = match[2] as FilterOp;
  const known = Object.hasOwn(filterFields, name);
  const field = name as FilterField;
  const values: FilterValue[] = [];
  const errors: FilterError[] = [];
  let i = body + match[0].length;
  for (;;) {
    const token = scanValue(text, i);
    i = token.end;
    if (!token.closed)
      errors.push(error(text, token.start, i, { rule: 'a quoted value ends with "', example: 'site:"New York"' }));
    else if (known) {
      const value = parseValue(token, field, op, context);
      if (isProblem(value)) errors.push(error(text, token.start === i ? start : token.start, i, value));
      else values.push(value);
    }
    if (text[i] !== ",") break;
    i++;
  }
  // A quoted value that runs on into a word is one mistake, up to the next space.
  if (i < text.length && !isSpace(text[i])) {
    const from = i;
    while (i < text.length && !isSpace(text[i])) i++;
    errors.push(error(text, from, i, { rule: "a space after a quoted value", example: 'site:"New York" os:windows' }));
  }
  if (!known)
    return {
      end: i,
      term: null,
      errors: [
        error(text, body, body + name.length, {
          rule: `no such field; fields are ${Object.keys(filterFields).join(", ")}`,
          example: 'status:failing; a name with a colon goes in quotes, "px1:8080"',
        }),
      ],
    };
  // "or" with a broken alternative would show fewer machines than asked for: the whole term waits.
  return { end: i, term: errors.length === 0 ? { negated, field, op, values } : null, errors };
}

function scanBare(text: string, start: number, body: number, negated: boolean, context: FilterContext): ScannedTerm {
  const token = scanValue(text, body);
  let end = token.end;
  if (!token.closed)
    return {
      end,
      term: null,
      errors: [error(text, body, end, { rule: 'a quoted value ends with "', example: '"MNL-FRONT 3"' })],
    };
  if (end < text.length && !isSpace(text[end])) {
    while (end < text.length && !isSpace(text[end])) end++;
    return {
      end,
      term: null,
      errors: [
        error(text, body, end, { rule: "a comma joins the values of one field", example: "name:*front*,*back*" }),
      ],
    };
  }
  const term = bareTerm(token, negated, context);
  return "rule" in term ? { end, term: null, errors: [error(text, start, end, term)] } : { end, term, errors: [] };
}

const quote = (text: string) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

function formatValue(value: FilterValue, info: FilterFieldInfo): string {
  const word = value.text.toLowerCase();
  const reserved = value.kind === "text" && (word === "unknown" || (word === "none" && info.none === true));
  return reserved || value.text === "" || /[\s",]/.test(value.text) ? quote(value.text) : value.text;
}

function formatTerm(term: FilterTerm): string {
  const minus = term.negated ? "-" : "";
  const only = term.values.length === 1 ? term.values[0] : undefined;
  if (term.field === "name" && term.op === ":" && only?.kind === "text" && only.match === "contains") {
    const plain = !/[\s",:<>]/.test(only.needle) && !only.needle.startsWith("-");
    return minus + (plain ? only.needle : quote(only.needle));
  }
  return `${minus}${term.field}${term.op}${term.values.map((value) => formatValue(value, filterFields[term.field])).join(",")}`;
}

/** The canonical text of terms. Parsing it gives the same terms; formatting those gives the same text. */
export const formatFilter = (terms: readonly FilterTerm[]): string => terms.map(formatTerm).join(" ");
