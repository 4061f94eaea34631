import type { Database } from "@lynceus/db/client";

/** An address of the dashboard, and what it is called in the table. */
export interface MeasuredPage {
  readonly name: string;
  readonly path: string;
}

const filter = (q: string, more = "") => `/machines?q=${encodeURIComponent(q)}${more}`;

/** A filter of each kind: what an index answers, what has to look at every row, and several at once. */
const filters = [
  "status:failing",
  "status:healthy",
  "status:failing,cannot-tell os:windows -tag:lab",
  "pattern:proxy-auth-required site:Singapore",
  "primary:tls-interception",
  "severity:at-risk",
  "confidence:high",
  'cause:"*px1*"',
  "site:Zürich",
  "site:none",
  "route:px1.example.org:8080",
  "route:direct",
  "pac:none",
  "verdict:proxy-auth-required",
  "direct:exchange-onprem",
  "step:connect",
  "issuer:*ESET*",
  "os:windows",
  "agent:1.4.*",
  "tag:vip",
  "name:*-0000*",
  "4711",
  "since<2h",
  "seen>1h",
  "skew>300",
  "ms>100",
  "by:manual",
  "zone:intranet",
  "winhttp:unknown",
  "resolver:10.1.*",
  "server:EX01",
  "subnet:10.1.0.0/16",
  "target:ews",
  "changed<24h",
];

const sorts = ["name", "-since", "-seen", "status", "severity", "primary", "site", "route", "agent", "os"];

/** Every page of the dashboard, with rows of this fleet where a page is of one of them. */
export async function measuredPages(db: Database): Promise<MeasuredPage[]> {
  const one = async (sql: string): Promise<string> => {
    const [row] = await db.prisma.$queryRawUnsafe<{ id: string }[]>(sql);
    if (!row) throw new Error(`the seeded fleet has nothing for: ${sql}`);
    return row.id;
  };
  const failing = await one(
    "SELECT id::text FROM machines WHERE status = 'failing' AND primary_pattern IS NOT NULL ORDER BY id LIMIT 1",
  );
  const busy = await one(
    "SELECT machine_id::text AS id FROM observations GROUP BY machine_id ORDER BY count(*) DESC, machine_id LIMIT 1",
  );
  const cause = await one("SELECT id::text FROM causes WHERE cleared_at IS NULL ORDER BY explains DESC LIMIT 1");
  const change = await one("SELECT id::text FROM fleet_changes ORDER BY machines DESC LIMIT 1");
  return [
    ...["", "?range=1h", "?range=24h", "?range=7d", "?site=Singapore"].map((query) => ({
      name: `overview ${query}`.trim(),
      path: `/${query}`,
    })),
    { name: "machines", path: "/machines" },
    ...filters.map((q) => ({ name: `machines ${q}`, path: filter(q) })),
    ...sorts.map((sort) => ({ name: `machines, sort ${sort}`, path: `/machines?sort=${sort}` })),
    { name: "machines, nothing matches", path: filter("status:failing site:Nowhere tag:vip") },
    { name: "machines, next rows", path: "/machines/rows?q=&sort=-since" },
    { name: "completion of site", path: "/machines/values?field=site&q=status%3Afailing" },
    { name: "completion of pattern", path: "/machines/values?field=pattern&q=" },
    { name: "completion of tag", path: "/machines/values?field=tag&q=" },
    { name: "go to", path: "/api/go-to?q=sin-lt" },
    { name: "a failing machine", path: `/machines/${failing}` },
    { name: "the machine with most history", path: `/machines/${busy}` },
    { name: "the machine with most history, whole timeline", path: `/machines/${busy}?timeline=all` },
    { name: "causes", path: "/causes" },
    { name: "the largest cause", path: `/causes/${cause}` },
    { name: "changes", path: "/changes" },
    { name: "the largest change", path: `/changes/${change}` },
    { name: "patterns", path: "/patterns" },
    { name: "a pattern", path: "/patterns/proxy-auth-required" },
    { name: "canary", path: "/canary" },
    { name: "enrolment", path: "/enrolment" },
    { name: "sites", path: "/sites" },
    { name: "incidents", path: "/incidents" },
    ...[
      "/targets",
      "/alerting",
      "/alerting/receivers",
      "/alerting/people",
      "/alerting/versions",
      "/alerting/simulate",
      "/alerting/undelivered",
      "/on-call",
      "/silences",
      "/maintenance",
      "/privacy",
      "/settings",
      "/settings/account",
      "/settings/users",
      "/settings/roles",
      "/settings/tokens",
      "/settings/sign-on",
      "/settings/retention",
      "/settings/audit",
    ].map((path) => ({ name: path.slice(1), path })),
  ];
}
