import type { Notice, NoticeIncident } from "@lynceus/protocol/notice";
import { formatCount, formatDuration, formatTime, safeText } from "@lynceus/protocol/present";

/*
 * What a notice says, once for all receivers that people read: plain lines in the order in which one needs them at
 * night. A receiver's own file gives them its form and escapes them; none words anything again.
 */

/** One line with its label, such as "Evidence". */
export interface Line {
  readonly label: string;
  readonly text: string;
  /** What a machine said: hosts, statuses, headers. */
  readonly mono?: true;
}

/** A place to go on from the message. */
export interface Link {
  readonly text: string;
  readonly url: string;
}

/** How a message looks, where colour and priority can be shown: `calm` is news of an end or of a test. */
export type Tone = "wake" | "notice" | "calm";

export interface Message {
  readonly tone: Tone;
  /** The line that a phone shows: at most 110 characters in what incidents makes; not cut here. */
  readonly headline: string;
  /** Why it comes now. */
  readonly reason: string;
  /** Whatever it is about does not exist; said first wherever it is shown. */
  readonly simulated: boolean;
  /** "px1.contoso.com explains 347 of 351 failing machines. …"; empty where there is nothing to say beyond the lines. */
  readonly sentence: string;
  readonly lines: readonly Line[];
  /** Of a digest: every incident on one line, with its page and a short text for a button. */
  readonly others: readonly (Link & { readonly button: string })[];
  /** How many incidents of a digest found no room in `others`. */
  readonly omitted: number;
  readonly links: readonly Link[];
  /** The page that acknowledges by a button, for the person to whom the message goes. */
  readonly acknowledge: Link | null;
}

export interface MessageOptions {
  /** IANA zone of the times; the message names it. */
  readonly zone: string;
  /** Incidents of a digest that are listed. */
  readonly maxOthers?: number;
}

/** Texts come ready to show; a field that was forgotten somewhere must still not break a line, or a header. */
const shown = (text: string): string => safeText(text, 2000);

/** Only what a browser opens as a page. */
const linkTo = (text: string, url: string): Link[] => (/^https?:\/\//i.test(url) ? [{ text, url }] : []);

/** Sites that are named; what is beyond is counted. */
const maxSites = 4;

const zoneName = (at: number, zone: string): string =>
  new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "short" })
    .formatToParts(at)
    .find(({ type }) => type === "timeZoneName")?.value ?? zone;

/** "02:12 CET"; a time that is not today has its day: "Mon 21:10 CET", "17 Nov 21:10 CET". */
function clockTime(at: number, now: number, zone: string): string {
  const day = formatTime(at, { now, zone });
  const time = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(at);
  return `${day.endsWith(time) ? day : `${day} ${time}`} ${zoneName(at, zone)}`;
}

const machinesOf = (count: number) => `${formatCount(count)} ${count === 1 ? "machine" : "machines"}`;

/** "204 of 1,642 in Singapore, 96 of 988 in Manila, 3 more sites". */
function spread(sites: NoticeIncident["sites"]): string {
  const named = sites
    .slice(0, maxSites)
    .map(({ site, machines, of }) => `${formatCount(machines)} of ${formatCount(of)} in ${shown(site)}`);
  const more = sites.length - named.length;
  return [...named, ...(more > 0 ? [`${more} more ${more === 1 ? "site" : "sites"}`] : [])].join(", ");
}

const ended = ({ state }: NoticeIncident) => state === "resolved" || state === "merged";

/** What users of these machines may meet. We cannot see a window: it is always "expected". */
const expected: Readonly<Record<NoticeIncident["severity"], string>> = {
  prompting: "credential prompts expected",
  "will-prompt": "credential prompts expected when Lync next needs Exchange",
  "at-risk": "no credential prompts expected yet",
};

/** "347 machines, credential prompts expected: 204 of 1,642 in Singapore, …". */
function spreadText(incident: NoticeIncident): string {
  const { machines, peak, sites } = incident;
  if (ended(incident)) return `${machinesOf(machines)} now, ${formatCount(peak)} at most`;
  const most = peak > machines ? ` (${formatCount(peak)} at most)` : "";
  const where = sites.length === 0 ? "" : `: ${spread(sites)}`;
  return `${machinesOf(machines)}${most}, ${expected[incident.severity]}${where}`;
}

function timeLine({ since, resolvedAt }: NoticeIncident, now: number, zone: string): Line {
  const from = Date.parse(since);
  const until = resolvedAt === null ? now : Date.parse(resolvedAt);
  const lasted = formatDuration(Math.max(0, until - from));
  return resolvedAt === null
    ? { label: "Since", text: `${clockTime(from, now, zone)}, for ${lasted}` }
    : { label: "Lasted", text: `${lasted}, ${clockTime(from, now, zone)} to ${clockTime(until, now, zone)}` };
}

/** Cause and reason are the headline and the sentence; these follow, what one needs first at night first. */
function linesOf(incident: NoticeIncident, now: number, zone: string): Line[] {
  const lines: Line[] = [{ label: "Spread", text: spreadText(incident) }, timeLine(incident, now, zone)];
  const add = (label: string, text: string | null, look: { mono?: true } = {}) => {
    if (text !== null && text !== "") lines.push({ label, text: shown(text), ...look });
  };
  add("Acknowledged by", incident.acknowledgedBy);
  add("Evidence", incident.evidence, { mono: true });
  if (!ended(incident)) {
    add("First thing to do", incident.firstStep);
    add("Who fixes it", incident.whoFixes);
    add("Reference", incident.reference);
  }
  add("Pattern", `${incident.pattern ?? "none known"}, ${incident.severity}, confidence ${incident.confidence}`);
  return lines;
}

function toneOf({ kind, incident, incidents }: Notice): Tone {
  if (kind === "resolved" || kind === "acknowledged" || kind === "test" || kind === "change") return "calm";
  if (kind === "undelivered") return "wake";
  return [incident, ...incidents].some((one) => one?.urgency === "high") ? "wake" : "notice";
}

/** "1182: px1.contoso.com asks for its own login, 347 machines". */
const lineOf = (incident: NoticeIncident): string =>
  `${incident.number}: ${shown(incident.title)}, ${machinesOf(incident.machines)}${incident.simulated ? " (simulated)" : ""}`;

/**
 * The parts of a notice's message. Pure: its instant is the notice's own `at`, so that each try sends the same words.
 * @example toMessage(notice, { zone: "Europe/Berlin" }).lines[1] // { label: "Since", text: "03:12 CET, for 29 min" }
 */
export function toMessage(notice: Notice, { zone, maxOthers = 20 }: MessageOptions): Message {
  const now = Date.parse(notice.at);
  const { incident, incidents, change } = notice;
  const digest = notice.kind === "digest";
  const lines: Line[] = [];
  if (incident !== null && !digest) lines.push(...linesOf(incident, now, zone));
  if (change !== null) {
    if (change.text !== "") lines.push({ label: "Change", text: shown(change.text), mono: true });
    if (change.detail) lines.push({ label: "Detail", text: shown(change.detail) });
    lines.push({ label: "Seen on", text: machinesOf(change.machines) });
    lines.push({ label: "At", text: clockTime(Date.parse(change.at), now, zone) });
  }
  const others = digest
    ? incidents
        .slice(0, maxOthers)
        .flatMap((one) =>
          linkTo(lineOf(one), one.url).map((link) => ({ ...link, button: `Open incident ${one.number}` })),
        )
    : [];
  const links = [
    ...(incident !== null && !digest ? linkTo(`Open incident ${incident.number}`, incident.url) : []),
    ...(change !== null ? linkTo("Open the change", change.url) : []),
  ];
  const all = digest ? incidents : incident === null ? [] : [incident];
  return {
    tone: toneOf(notice),
    headline: shown(notice.headline),
    reason: shown(notice.reason),
    simulated: all.length > 0 && all.every(({ simulated }) => simulated),
    sentence: incident !== null && !digest ? shown(incident.sentence) : "",
    lines,
    others,
    omitted: digest ? incidents.length - others.length : 0,
    links,
    acknowledge: linkTo("Acknowledge", notice.acknowledgeUrl ?? "")[0] ?? null,
  };
}

/** The headline with what must never be missed before it. */
export const headlineOf = ({ headline, simulated }: Pick<Message, "headline" | "simulated">): string =>
  simulated ? `Simulated: ${headline}` : headline;

/** A text cut to `max` UTF-16 units, never inside a character, with a mark where something is gone. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  let end = Math.max(0, max - 1);
  // Not between the halves of one character.
  if (end > 0 && /[\ud800-\udbff]/.test(text[end - 1] ?? "")) end -= 1;
  return `${text.slice(0, end)}…`.slice(0, max);
}

/** A text cut to `max` bytes of UTF-8, never inside a character. */
export function cutBytes(text: string, max: number): string {
  if (Buffer.byteLength(text) <= max) return text;
  const mark = "…";
  let bytes = Buffer.byteLength(mark);
  let kept = "";
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > max) break;
    kept += character;
  }
  return kept + mark;
}

/**
 * The whole message as plain text, for mail and push: a label at the beginning of each line, links as bare addresses.
 */
export function toPlainText(message: Message): string {
  const blocks: string[][] = [
    [headlineOf(message), message.reason],
    [message.sentence],
    message.lines.map(({ label, text }) => `${label}: ${text}`),
    [
      ...message.others.map(({ text, url }) => `${text}\n${url}`),
      ...(message.omitted > 0 ? [`and ${formatCount(message.omitted)} more`] : []),
    ],
    [...(message.acknowledge ? [message.acknowledge] : []), ...message.links].map(({ text, url }) => `${text}: ${url}`),
  ];
  return blocks
    .map((lines) => lines.filter((line) => line !== "").join("\n"))
    .filter((block) => block !== "")
    .join("\n\n");
}
