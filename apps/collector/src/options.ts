import { hostname } from "node:os";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { type CollectorConfig, defaultConfig } from "./config.ts";

export interface Options {
  readonly databaseUrl: string;
  readonly host: string;
  readonly port: number;
  readonly plain: boolean;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly dataDir: string;
  /** Names of this collector that its self-made certificate is good for. */
  readonly names: readonly string[];
  readonly publicUrl: string | null;
  /** Whether the database is brought to this version first. */
  readonly migrate: boolean;
  /** Address of the dashboard, for the link that makes the first admin; null: none is made. */
  readonly dashboardUrl: string | null;
  /** Keys of the receivers' secrets and of acknowledge links, as `LYNCEUS_SECRET_KEY` has them; null: one of its own. */
  readonly secretKey: string | null;
  readonly id: string;
  /** Whether `/metrics` needs no token. */
  readonly openMetrics: boolean;
  readonly logLevel: string;
  readonly config: CollectorConfig;
}

export const usage = `lynceus-collector [options]
lynceus-collector rediagnose --help

  --host ADDRESS         address to listen on (127.0.0.1)
  --port PORT            port for agents and the API (7443)
  --data-dir DIR         where the self-made certificate authority is kept (./data/collector)
  --tls-cert FILE        certificate chain, PEM; with --tls-key, instead of a self-made one
  --tls-key FILE         its key, PEM
  --tls-name NAME        a name the self-made certificate is good for; may be given several times
  --plain                no TLS; on a loopback address alone
  --public-url URL       what enrolment tokens name, e.g. wss://collector.example.org:7443
  --migrate              bring the database to this version before anything else
  --id NAME              name of this collector among those of one database (host name and port)
  --requests-per-second N  budget of the whole fleet per target host (15)
  --retention-days N     days that observations are kept (30), until an admin sets it
  --api-requests-per-minute N  requests of one token or address (600); a Grafana with many viewers needs more
  --metrics-sites N      sites with lines of their own in /metrics (50)
  --metrics-open         /metrics without a token, where nobody else reaches the port
  --log-level LEVEL      trace, debug, info, warn, error (info)

LYNCEUS_PUBLIC_NAME=collector.example.org stands for --tls-name and --public-url with the port above.
LYNCEUS_PUBLIC_URL=https://lynceus.example.org is the dashboard: while nobody can log in there, a link that makes the
first admin is logged at the start.
LYNCEUS_SECRET_KEY seals receivers' secrets and signs links, the same as the dashboard's; without it a key is made in
--data-dir, and the dashboard can set no secrets.
LYNCEUS_MIGRATIONS is the folder of the migrations, where it is not that of the repository.
DATABASE_URL names the PostgreSQL, e.g. postgresql://lynceus:secret@db.example.org:5432/lynceus
`;

/** What the command line knows; `usage` says each of them. */
export const optionSpec = {
  help: { type: "boolean", default: false },
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "7443" },
  "data-dir": { type: "string", default: "data/collector" },
  "tls-cert": { type: "string" },
  "tls-key": { type: "string" },
  "tls-name": { type: "string", multiple: true, default: [] },
  plain: { type: "boolean", default: false },
  "public-url": { type: "string" },
  migrate: { type: "boolean", default: false },
  id: { type: "string" },
  "requests-per-second": { type: "string", default: String(defaultConfig.requestsPerSecond) },
  "retention-days": { type: "string", default: String(defaultConfig.retentionDays) },
  "api-requests-per-minute": { type: "string", default: String(defaultConfig.apiRequestsPerMinute) },
  "metrics-sites": { type: "string", default: String(defaultConfig.metricsSites) },
  "metrics-open": { type: "boolean", default: false },
  "log-level": { type: "string", default: "info" },
} satisfies NonNullable<ParseArgsConfig["options"]>;

const hostName = /^(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/i;
const loopback = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

function integer(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new Error(`--${name} "${text}" is not a whole number from ${min} to ${max}`);
  return value;
}

/**
 * What the command line and the environment say.
 * @throws Error with one line: the value, the rule, an example. @returns null when only help was asked for.
 */
export function parseOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Options | null {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    allowPositionals: false,
    options: optionSpec,
  });
  if (values.help) return null;
  const databaseUrl = env.DATABASE_URL ?? "";
  if (!/^postgres(ql)?:\/\//.test(databaseUrl))
    throw new Error(
      "DATABASE_URL is not set to a PostgreSQL address; use e.g. postgresql://lynceus:secret@db.example.org:5432/lynceus",
    );
  const { host, plain } = values;
  if (plain && !loopback.test(host))
    throw new Error(`--plain with --host "${host}": plain text is allowed on loopback alone, e.g. --host 127.0.0.1`);
  const port = integer("port", values.port, 0, 65_535);
  const publicName = env.LYNCEUS_PUBLIC_NAME || null;
  if (publicName !== null && !hostName.test(publicName))
    throw new Error(`LYNCEUS_PUBLIC_NAME "${publicName}" is not a host name; use e.g. collector.example.org`);
  const dashboardUrl = env.LYNCEUS_PUBLIC_URL || null;
  if (dashboardUrl !== null && !/^https?:\/\/[^/\s]+\/?$/.test(dashboardUrl))
    throw new Error(`LYNCEUS_PUBLIC_URL "${dashboardUrl}" is not an address; use e.g. https://lynceus.example.org`);
  const publicUrl = values["public-url"] ?? (publicName && !plain ? `wss://${publicName}:${port}` : null);
  if (publicUrl !== null && !/^wss:\/\/[^/\s]+$/.test(publicUrl) && !(plain && /^ws:\/\/[^/\s]+$/.test(publicUrl)))
    throw new Error(
      `--public-url "${publicUrl}" is not a collector address; use e.g. wss://collector.example.org:7443`,
    );
  const levels = ["trace", "debug", "info", "warn", "error"];
  if (!levels.includes(values["log-level"]))
    throw new Error(`--log-level "${values["log-level"]}" is none of ${levels.join(", ")}`);
  const fromPublic = publicUrl === null ? [] : [new URL(publicUrl).hostname.replace(/^\[|\]$/g, "")];
  return {
    databaseUrl,
    host,
    port,
    plain,
    certFile: values["tls-cert"] ?? null,
    keyFile: values["tls-key"] ?? null,
    dataDir: values["data-dir"],
    names: [...new Set([...values["tls-name"], ...fromPublic, ...(/^(0\.0\.0\.0|::)$/.test(host) ? [] : [host])])],
    publicUrl,
    migrate: values.migrate,
    dashboardUrl: dashboardUrl?.replace(/\/$/, "") ?? null,
    secretKey: env.LYNCEUS_SECRET_KEY || null,
    id: values.id ?? `${hostname()}:${port}`,
    openMetrics: values["metrics-open"],
    logLevel: values["log-level"],
    config: {
      ...defaultConfig,
      requestsPerSecond: integer("requests-per-second", values["requests-per-second"], 1, 100_000),
      retentionDays: integer("retention-days", values["retention-days"], 1, 3650),
      apiRequestsPerMinute: integer("api-requests-per-minute", values["api-requests-per-minute"], 10, 1_000_000),
      metricsSites: integer("metrics-sites", values["metrics-sites"], 0, 1000),
    },
  };
}
