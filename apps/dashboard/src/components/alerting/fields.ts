import type { PieceKind } from "../../lib/alerting/pieces.ts";

/*
 * What the forms of the alerting configuration ask for, piece by piece. Plain data: the rules stand once, in the protocol's
 * schemas, and are asked on the server. `path` is where a value stands in its piece: `settings.connection.reach`.
 */

interface Common {
  readonly path: string;
  readonly label: string;
  readonly about?: string;
}

/** Whose names a choice offers. */
export type Source = "receivers" | "people" | "schedules" | "escalations" | "targets";

export type Field =
  /** One line. `empty`: nothing typed is null, and not an empty text. */
  | (Common & {
      readonly as: "text" | "mono" | "zone" | "clock" | "moment";
      readonly placeholder?: string;
      readonly empty?: "null";
    })
  | (Common & { readonly as: "area"; readonly placeholder?: string; readonly empty?: "null" })
  | (Common & { readonly as: "number" })
  | (Common & { readonly as: "check" })
  | (Common & { readonly as: "select"; readonly options: Readonly<Record<string, string>> })
  /** One of the configuration's own, or none. */
  | (Common & { readonly as: "one"; readonly from: Source; readonly none: string })
  | (Common & { readonly as: "many"; readonly from: Source })
  | (Common & { readonly as: "several"; readonly options: Readonly<Record<string, string>> })
  /** A list of texts, one a line. */
  | (Common & { readonly as: "lines"; readonly placeholder?: string })
  /** Names and values, one pair a line. */
  | (Common & { readonly as: "pairs"; readonly placeholder?: string })
  | (Common & { readonly as: "json"; readonly placeholder?: string })
  /** There, or null. */
  | (Common & { readonly as: "maybe"; readonly blank: unknown; readonly fields: readonly Field[] })
  /** Objects in order. `one`: what each is called. */
  | (Common & {
      readonly as: "items";
      readonly one: string;
      readonly blank: unknown;
      readonly fields: readonly Field[];
    })
  /** Fields that few need, behind a line. */
  | { readonly as: "more"; readonly label: string; readonly fields: readonly Field[] };

const dayNames = { mon: "Mon", tue: "Tue", wed: "Wed", thu: "Thu", fri: "Fri", sat: "Sat", sun: "Sun" };
const everyDay = Object.keys(dayNames);

const name = (placeholder: string): Field => ({ as: "text", path: "name", label: "Name", placeholder });
const filter = (path: string, label: string, about: string): Field => ({
  as: "mono",
  path,
  label,
  about,
  placeholder: "everything",
});
const zone: Field = { as: "zone", path: "zone", label: "Time zone", placeholder: "Europe/Berlin" };
const hours: readonly Field[] = [
  { as: "several", path: "days", label: "Days", options: dayNames },
  { as: "clock", path: "from", label: "From", placeholder: "22:00" },
  { as: "clock", path: "to", label: "To", about: "earlier than from: on the next day", placeholder: "07:00" },
];

const reach: Field = {
  as: "select",
  path: "settings.connection.reach",
  label: "Where its server may be",
  about: "A name that leads elsewhere is refused; link-local and metadata addresses always are.",
  options: {
    public: "on the internet, encrypted",
    private: "in a private network as well",
    loopback: "on the collector's machine as well",
  },
};
const authority: Field = {
  as: "area",
  path: "settings.connection.ca",
  label: "Certificates of your own authority",
  about: "PEM, trusted beside the public ones; may stay empty",
  placeholder: "-----BEGIN CERTIFICATE-----",
  empty: "null",
};
const way: Field = {
  as: "mono",
  path: "settings.connection.proxy",
  label: "The collector's proxy",
  about: "asked by CONNECT, without a login; may stay empty",
  placeholder: "http://px1.contoso.com:8080",
  empty: "null",
};
const connection: Field = { as: "more", label: "Connection", fields: [reach, way, authority] };

/** The settings of each type of receiver. */
const receiverSettings: Readonly<Record<string, readonly Field[]>> = {
  pagerduty: [
    {
      as: "mono",
      path: "settings.server",
      label: "Server",
      about: "https://events.eu.pagerduty.com for accounts of the European region",
    },
    connection,
  ],
  alertmanager: [
    {
      as: "lines",
      path: "settings.servers",
      label: "Servers",
      about: "every instance of the cluster, one a line, without a path",
      placeholder: "http://alertmanager.contoso.com:9093",
    },
    {
      as: "pairs",
      path: "settings.labels",
      label: "Labels",
      about: "on every alert, one a line; may stay empty",
      placeholder: "team=messaging",
    },
    {
      as: "text",
      path: "settings.username",
      label: "User name",
      about: "of a reverse proxy before it; may stay empty",
      empty: "null",
    },
    {
      as: "number",
      path: "settings.expireHours",
      label: "An alert that nobody renews ends after (h)",
      about: "more than the longest repeat interval",
    },
    connection,
  ],
  webhook: [
    {
      as: "mono",
      path: "settings.url",
      label: "Address",
      about: "{token} stands for the secret of this name",
      placeholder: "https://hooks.contoso.com/lynceus?key={token}",
    },
    { as: "select", path: "settings.method", label: "Method", options: { POST: "POST", PUT: "PUT" } },
    {
      as: "json",
      path: "settings.template",
      label: "Body",
      about: "any JSON with {{incident.title}} and the like in its strings; empty sends the whole notice",
      placeholder: '{ "text": "{{headline}}" }',
    },
    connection,
  ],
  email: [
    { as: "mono", path: "settings.host", label: "SMTP server", placeholder: "smtp.contoso.com" },
    { as: "number", path: "settings.port", label: "Port" },
    {
      as: "select",
      path: "settings.security",
      label: "Encryption",
      options: { starttls: "STARTTLS (587)", tls: "TLS from the start (465)", none: "none: a relay inside" },
    },
    {
      as: "text",
      path: "settings.username",
      label: "User name",
      about: "may stay empty: the relay takes mail without a login",
      empty: "null",
    },
    { as: "text", path: "settings.from", label: "From", placeholder: "lynceus@contoso.com" },
    {
      as: "lines",
      path: "settings.to",
      label: "To",
      about: "one address a line; empty: the address of the person who is told",
      placeholder: "messaging-oncall@contoso.com",
    },
    { as: "more", label: "Connection", fields: [reach, authority] },
  ],
  slack: [
    {
      as: "select",
      path: "settings.mention",
      label: "Calls out",
      about: "when something of high urgency opens, grows or is escalated",
      options: { none: "nobody", here: "@here", channel: "@channel" },
    },
    connection,
  ],
  teams: [connection],
  ntfy: [{ as: "mono", path: "settings.server", label: "Server", placeholder: "https://ntfy.contoso.com" }, connection],
};

const pieces: Readonly<Record<Exclude<PieceKind, "receivers">, readonly Field[]>> = {
  people: [
    name("M. Huber"),
    {
      as: "text",
      path: "email",
      label: "Email",
      about: "that they sign in with: an acknowledgement is then theirs; may stay empty",
      placeholder: "huber@contoso.com",
      empty: "null",
    },
    { as: "many", path: "receivers", label: "Told by", about: "all of them at once", from: "receivers" },
  ],
  schedules: [
    name("Exchange"),
    zone,
    {
      as: "items",
      path: "layers",
      label: "Layers",
      about: "The first that has somebody at a moment decides; what none covers is a gap.",
      one: "Layer",
      blank: { people: [], start: "", turn: { every: 1, unit: "week" }, hours: [] },
      fields: [
        { as: "many", path: "people", label: "People, in turn", from: "people" },
        { as: "moment", path: "start", label: "First hand-over", placeholder: "2026-12-07T09:00" },
        { as: "number", path: "turn.every", label: "A turn lasts" },
        {
          as: "select",
          path: "turn.unit",
          label: "Unit",
          options: { hour: "hours", day: "days", week: "weeks" },
        },
        {
          as: "items",
          path: "hours",
          label: "Only in these hours",
          about: "none: always",
          one: "Hours",
          blank: { days: ["mon", "tue", "wed", "thu", "fri"], from: "09:00", to: "17:00" },
          fields: hours,
        },
      ],
    },
    {
      as: "items",
      path: "overrides",
      label: "Overrides",
      about: "They go before all layers.",
      one: "Override",
      blank: { from: "", to: "", person: "" },
      fields: [
        { as: "one", path: "person", label: "Person", from: "people", none: "choose" },
        { as: "moment", path: "from", label: "From", placeholder: "2026-12-24T09:00" },
        { as: "moment", path: "to", label: "To", placeholder: "2026-12-27T09:00" },
      ],
    },
  ],
  escalations: [
    name("Exchange on call"),
    {
      as: "items",
      path: "steps",
      label: "Steps",
      about: "One after the other, until somebody acknowledges.",
      one: "Step",
      blank: { targets: [], minutes: 15 },
      fields: [
        { as: "many", path: "targets", label: "Told", from: "targets" },
        { as: "number", path: "minutes", label: "Next step after (min)" },
      ],
    },
    { as: "number", path: "repeat", label: "All steps are gone through again", about: "times; 0: once is enough" },
  ],
  routes: [
    name("Singapore, to the proxy team"),
    filter(
      "match",
      "Matches",
      "where one machine of the incident fits all of it: pattern, severity, urgency, site, tag, target, location … Simulated machines only with simulated:yes.",
    ),
    { as: "many", path: "receivers", label: "Receivers", about: "told at once", from: "receivers" },
    {
      as: "one",
      path: "escalation",
      label: "Escalation",
      about: "people, one step after the other",
      from: "escalations",
      none: "none",
    },
    { as: "check", path: "continue", label: "Routes after it are asked as well" },
    {
      as: "more",
      label: "When, and how often",
      fields: [
        {
          as: "select",
          path: "groupBy",
          label: "Told together",
          options: {
            cause: "each incident by itself",
            site: "incidents of one site",
            pattern: "incidents of one pattern",
            route: "all incidents of this route",
          },
        },
        { as: "number", path: "groupWaitSeconds", label: "From opening to the first notice (s)" },
        { as: "number", path: "groupIntervalMinutes", label: "Between two notices of one group (min)" },
        { as: "number", path: "repeatHours", label: "Told again while nobody acknowledges (h)", about: "0: never" },
        { as: "check", path: "sendAcknowledged", label: "Tells that somebody acknowledged" },
        { as: "check", path: "sendResolved", label: "Tells of the end" },
        {
          as: "maybe",
          path: "quietHours",
          label: "Quiet hours: low urgency waits for their end",
          blank: { zone: "", days: everyDay, from: "22:00", to: "07:00" },
          fields: [zone, ...hours],
        },
      ],
    },
  ],
  inhibitions: [
    name("Exchange is down for everyone"),
    filter(
      "source",
      "While an incident is open that fits",
      "pattern, primary, severity, urgency, cause, site, location …",
    ),
    filter("target", "nobody is told of incidents that fit", "the same fields"),
    {
      as: "several",
      path: "same",
      label: "and have in common",
      options: { location: "location", site: "all their sites" },
    },
  ],
  limits: [
    { as: "number", path: "openMachines", label: "Machines of one cause that make an incident" },
    {
      as: "lines",
      path: "importantTags",
      label: "Important tags",
      about: "one a line; one machine with such a tag is enough, and its incident is urgent",
      placeholder: "vip",
    },
    { as: "number", path: "highMachines", label: "Urgency is high from so many machines on" },
    { as: "number", path: "highSharePercent", label: "or from this share of a site's machines on (%)" },
    { as: "number", path: "highShareMachines", label: "where they are at least" },
    {
      as: "select",
      path: "silentSiteUrgency",
      label: "Urgency of a site that fell silent",
      options: { high: "high", low: "low" },
    },
    {
      as: "many",
      path: "fallback",
      label: "Fallback",
      about: "told when another receiver cannot be reached, or nobody is on call: the first that works",
      from: "receivers",
    },
    {
      as: "many",
      path: "changeReceivers",
      label: "Told of wide changes",
      about: "of settings, scripts and certificates",
      from: "receivers",
    },
    { as: "number", path: "changeMachines", label: "A change is wide from so many machines on" },
    {
      as: "more",
      label: "Holds and repeats",
      fields: [
        { as: "number", path: "resolveHoldMinutes", label: "Resolved when no member failed for (min)" },
        { as: "number", path: "reopenMinutes", label: "The same incident when it comes back within (min)" },
        { as: "number", path: "splitHoldSeconds", label: "Split when members share no cause for (s)" },
        { as: "number", path: "flapOpenings", label: "Flapping from so many openings an hour" },
        { as: "number", path: "flapSteadyMinutes", label: "and until it was steady for (min)" },
        { as: "number", path: "growFactor", label: "Told again when it has so many times the machines" },
        { as: "number", path: "acknowledgeMinutes", label: "Reminded after an acknowledgement (min)" },
        { as: "number", path: "unverifiedHours", label: "Silent members keep it open for (h)" },
      ],
    },
    {
      as: "maybe",
      path: "heartbeat",
      label: "Heartbeat: an address is asked each minute, so that somebody notices when we are gone",
      blank: { connection: { reach: "public", ca: null, proxy: null } },
      fields: [
        { ...reach, path: "connection.reach" } as Field,
        { ...way, path: "connection.proxy" } as Field,
        { ...authority, path: "connection.ca" } as Field,
      ],
    },
  ],
};

/** The fields of a piece; of a receiver, those of its type. */
export function fieldsOf(kind: PieceKind, type: string | null): readonly Field[] {
  if (kind !== "receivers") return pieces[kind];
  return [
    name("Proxy team"),
    ...(receiverSettings[type ?? ""] ?? []),
    {
      as: "more",
      label: "Times and cap",
      fields: [
        { ...zone, label: "Zone of the times in its messages" } as Field,
        {
          as: "number",
          path: "capPerHour",
          label: "Notices an hour at most",
          about: "above it one digest says the rest",
        },
      ],
    },
  ];
}
