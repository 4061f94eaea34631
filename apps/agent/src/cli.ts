import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parseCollectorUrl } from "./collector-url.ts";
import {
  parseMemoryBudget,
  parsePort,
  parseProcessorBudget,
  parseProxy,
  parseSite,
  parseSuffix,
  parseTag,
} from "./config.ts";
import { type EnrolmentToken, parseEnrolmentToken } from "./enrolment-token.ts";
import type { Budget } from "./self-limits.ts";

/** What `run` and `enroll` were told; null = not told, the config file or a default decides. */
export interface AgentOptions {
  readonly collector: string | null;
  readonly token: EnrolmentToken | null;
  readonly dataDir: string;
  readonly proxySettings: string | null;
  readonly allowedSuffixes: readonly string[] | null;
  readonly allowedPorts: readonly number[] | null;
  readonly hostname: string | null;
  readonly proxy: string | null;
  readonly site: string | null;
  readonly tags: readonly string[] | null;
  readonly budget: Partial<Budget>;
}

export type Command =
  | { readonly name: "run"; readonly options: AgentOptions; readonly logStdout: boolean }
  | { readonly name: "enroll"; readonly options: AgentOptions }
  | { readonly name: "status"; readonly dataDir: string; readonly json: boolean }
  /** Its options are read by the command itself. */
  | { readonly name: "diagnose"; readonly args: readonly string[] }
  /** The three below are for the installer, the service manager and the agent itself: not in the help. */
  | { readonly name: "service" }
  | { readonly name: "cleanup"; readonly dataDir: string; readonly keepIdentity: boolean }
  /** What the MSI of a newer version says before and after it removes the older one. */
  | { readonly name: "hold" | "release"; readonly dataDir: string }
  | { readonly name: "pac-child" }
  /** Windows: asks the system for the way, for the agent. */
  | { readonly name: "winhttp-child" }
  | { readonly name: "version" }
  | { readonly name: "help"; readonly text: string };

/** A command line that cannot be understood: one line, exit code 2. */
export class UsageError extends Error {}

export const usage = `Usage: lynceus-agent COMMAND [OPTIONS]

Observes this machine's proxy settings and its way to Exchange and Skype for Business, and reports to a collector.

Commands:
  run        observe and report until stopped; enrols first where --token is given and this machine is not enrolled
  enroll     make this machine known to a collector, once
  diagnose   probe now, print what was seen and what it means; needs no collector (see: diagnose --help)
  status     what the agent of a data directory does
  version    print the version

Options of run and enroll:
  --token TOKEN               enrolment token from the dashboard
  --collector URL             address of the collector, where it differs from the token's, e.g. wss://collector:7443
  --data-dir DIR              key, policy, outbox and log
  --allowed-suffixes A,B      domains below which this agent may ever probe, whatever a policy says
  --allowed-ports P,Q         ports that it may ever probe (80,443,5060,5061)
  --proxy-settings FILE       JSON with Windows' Internet Settings values to examine instead of this machine's
  --hostname NAME             name to report instead of the system's
  --proxy HOST:PORT           HTTP proxy on the agent's own way to the collector, instead of what the settings say
  --site NAME, --tags A,B     what this machine is, where the collector's own rules say nothing
  --processor-budget PERCENT  share of one core, averaged over five minutes, above which probes wait (10)
  --memory-budget MB          resident memory above which the agent starts anew (256)
  --log-stdout                (run) also print the log

The environment may say LYNCEUS_ENROLL_TOKEN, LYNCEUS_COLLECTOR_URL, LYNCEUS_ALLOWED_SUFFIXES, LYNCEUS_ALLOWED_PORTS,
LYNCEUS_PROXY, LYNCEUS_SITE and LYNCEUS_TAGS instead of the options.

Options of status:
  --data-dir DIR, --json
`;

/** Where a service of the system keeps its data; an ordinary user's agent stays in the user's home. */
function defaultDataDir({ environment, isRoot, home, platform }: CliWorld): string {
  if (platform === "win32") return join(environment.ProgramData ?? "C:\\ProgramData", "Lynceus");
  return isRoot ? "/var/lib/lynceus-agent" : join(home, ".local", "state", "lynceus-agent");
}

const shared = {
  "data-dir": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;
export const agentOptions = {
  ...shared,
  token: { type: "string" },
  collector: { type: "string" },
  "allowed-suffixes": { type: "string" },
  "allowed-ports": { type: "string" },
  "proxy-settings": { type: "string" },
  hostname: { type: "string" },
  proxy: { type: "string" },
  site: { type: "string" },
  tags: { type: "string" },
  "processor-budget": { type: "string" },
  "memory-budget": { type: "string" },
  "log-stdout": { type: "boolean" },
} as const;

const list = <T>(text: string | undefined, item: (text: string) => T): T[] | null =>
  text === undefined
    ? null
    : text
        .split(",")
        .filter((part) => part.trim() !== "")
        .map(item);

export interface CliWorld {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
  readonly home: string;
  readonly platform: NodeJS.Platform;
}

/** @throws UsageError with one line that says the value, the rule and an example. */
export function parseCommand(argv: readonly string[], world: CliWorld): Command {
  const [name, ...args] = argv;
  try {
    switch (name) {
      case undefined:
        throw new UsageError("no command given; use run, enroll, diagnose, status or version (--help explains them)");
      case "help":
      case "--help":
      case "-h":
        return { name: "help", text: usage };
      case "version":
      case "--version":
        parseArgs({ args, options: {}, strict: true });
        return { name: "version" };
      case "diagnose":
        return { name, args };
      case "service":
      case "pac-child":
      case "winhttp-child":
        parseArgs({ args, options: {}, strict: true });
        return { name };
      case "hold":
      case "release": {
        const { values } = parseArgs({ args, options: { "data-dir": shared["data-dir"] }, strict: true });
        return { name, dataDir: dataDirOf(values["data-dir"], world) };
      }
      case "cleanup": {
        const { values } = parseArgs({
          args,
          options: { "data-dir": shared["data-dir"], "keep-identity": { type: "boolean" } },
          strict: true,
        });
        return {
          name,
          dataDir: dataDirOf(values["data-dir"], world),
          keepIdentity: values["keep-identity"] ?? false,
        };
      }
      case "status": {
        const { values } = parseArgs({ args, options: { ...shared, json: { type: "boolean" } }, strict: true });
        if (values.help) return { name: "help", text: usage };
        return { name, dataDir: dataDirOf(values["data-dir"], world), json: values.json ?? false };
      }
      case "run":
      case "enroll": {
        const { values } = parseArgs({ args, options: agentOptions, strict: true });
        if (values.help) return { name: "help", text: usage };
        const { environment } = world;
        // An option is seen by every user of the machine in the list of processes; the environment is not. An installer
        // that was not told a value hands over an empty one.
        const told = (option: string | undefined, variable: string) =>
          option ?? (environment[`LYNCEUS_${variable}`]?.trim() || undefined);
        const one = <T>(text: string | undefined, parse: (text: string) => T): T | null =>
          text === undefined ? null : parse(text);
        const collector = told(values.collector, "COLLECTOR_URL");
        if (collector !== undefined) parseCollectorUrl(collector);
        const token = told(values.token, "ENROLL_TOKEN");
        if (values.hostname !== undefined && !/^[\p{L}\p{N}._-]{1,255}$/u.test(values.hostname))
          throw new UsageError(`--hostname "${values.hostname}" is not a host name; use e.g. ws-0412`);
        const options: AgentOptions = {
          collector: collector ?? null,
          token: token === undefined || token === "" ? null : parseEnrolmentToken(token),
          dataDir: dataDirOf(values["data-dir"], world),
          proxySettings: values["proxy-settings"] === undefined ? null : resolve(values["proxy-settings"]),
          allowedSuffixes: list(told(values["allowed-suffixes"], "ALLOWED_SUFFIXES"), parseSuffix),
          allowedPorts: list(told(values["allowed-ports"], "ALLOWED_PORTS"), parsePort),
          hostname: values.hostname ?? null,
          proxy: one(told(values.proxy, "PROXY"), parseProxy),
          site: one(told(values.site, "SITE"), parseSite),
          tags: list(told(values.tags, "TAGS"), parseTag),
          budget: {
            ...(values["processor-budget"] && { processorPercent: parseProcessorBudget(values["processor-budget"]) }),
            ...(values["memory-budget"] && { rssBytes: parseMemoryBudget(values["memory-budget"]) }),
          },
        };
        if (name === "run") return { name, options, logStdout: values["log-stdout"] ?? false };
        if (values["log-stdout"]) throw new UsageError("--log-stdout belongs to run");
        return { name, options };
      }
      default:
        throw new UsageError(`unknown command "${name}"; use run, enroll, diagnose, status or version`);
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // parseArgs explains over several sentences; the first says what is wrong.
    const [line = ""] = (error as Error).message.split(/\. (?=To specify)|\n/);
    throw new UsageError(line);
  }
}

function dataDirOf(text: string | undefined, world: CliWorld): string {
  if (text === "") throw new UsageError("--data-dir is empty; use e.g. --data-dir /var/lib/lynceus-agent");
  return text === undefined ? defaultDataDir(world) : resolve(text);
}
