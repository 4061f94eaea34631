import { join } from "node:path";
import { replaceFile } from "./atomic-file.ts";
import { parseCollectorUrl } from "./collector-url.ts";
import { type Budget, defaultBudget } from "./self-limits.ts";
import { readStored } from "./stored-file.ts";

/** What `enroll` leaves in the data directory for `run`: all that an installer decided. */
export interface AgentConfig {
  /** As given, such as `wss://collector.contoso.com:7443`. */
  readonly collector: string;
  /** Hex SHA-256 of the SPKI of the collector's authority; null = the system's trust decides. */
  readonly pin: string | null;
  /** A file with Internet Settings to examine instead of this machine's. */
  readonly proxySettings: string | null;
  /** Domains below which this agent may probe (domain 5.0 rule 16). */
  readonly allowedSuffixes: readonly string[];
  readonly allowedPorts: readonly number[];
  /** A name to report instead of the system's. */
  readonly hostname: string | null;
  /** The agent's own way to the collector, `http://host:port`; null = what the machine's settings say. */
  readonly proxy: string | null;
  /** What the installer said of this machine; the collector takes it where its own rules say nothing. */
  readonly site: string | null;
  readonly tags: readonly string[];
  readonly budget: Budget;
}

/** https, http and the two SIP ports. */
export const defaultPorts: readonly number[] = [80, 443, 5060, 5061];

const configFile = (dataDir: string) => join(dataDir, "config.json");

export const saveConfig = (dataDir: string, config: AgentConfig): void =>
  replaceFile(configFile(dataDir), `${JSON.stringify(config, null, 2)}\n`);

/** Null where there is none. @throws Error with one line when it is damaged. */
export function loadConfig(dataDir: string): AgentConfig | null {
  const path = configFile(dataDir);
  const text = readStored(path);
  if (text === null) return null;
  try {
    return parseConfig(JSON.parse(text));
  } catch (error) {
    throw new Error(`${path} is damaged: ${(error as Error).message}`);
  }
}

function parseConfig(value: unknown): AgentConfig {
  if (typeof value !== "object" || value === null) throw new Error("it holds no object");
  const { collector, pin, proxySettings, allowedSuffixes, allowedPorts, hostname, ...later } = value as Record<
    string,
    unknown
  >;
  if (typeof collector !== "string") throw new Error("collector is missing");
  parseCollectorUrl(collector);
  if (pin !== null && (typeof pin !== "string" || !/^[0-9a-f]{64}$/.test(pin))) throw new Error("pin is not a SHA-256");
  if (!Array.isArray(allowedSuffixes) || !Array.isArray(allowedPorts)) throw new Error("the fence is missing");
  return {
    collector,
    pin,
    proxySettings: typeof proxySettings === "string" ? proxySettings : null,
    allowedSuffixes: allowedSuffixes.map((suffix) => parseSuffix(String(suffix))),
    allowedPorts: allowedPorts.map((port) => parsePort(String(port))),
    hostname: typeof hostname === "string" ? hostname : null,
    // Absent in what older agents wrote.
    proxy: typeof later.proxy === "string" ? parseProxy(later.proxy) : null,
    site: typeof later.site === "string" ? parseSite(later.site) : null,
    tags: Array.isArray(later.tags) ? later.tags.map((tag) => parseTag(String(tag))) : [],
    budget: parseBudget(later.budget),
  };
}

function parseBudget(value: unknown): Budget {
  const { processorPercent, rssBytes } = (value ?? {}) as Partial<Record<keyof Budget, unknown>>;
  return {
    processorPercent:
      typeof processorPercent === "number" && processorPercent > 0 ? processorPercent : defaultBudget.processorPercent,
    rssBytes: typeof rssBytes === "number" && rssBytes > 0 ? rssBytes : defaultBudget.rssBytes,
  };
}

/** @throws Error with one line that never repeats a password. */
export function parseProxy(text: string): string {
  const withScheme = text.includes("://") ? text.trim() : `http://${text.trim()}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : null;
  if (url === null || url.protocol !== "http:" || url.hostname === "" || url.username !== "" || url.password !== "")
    throw new Error("--proxy is not the address of an HTTP proxy without credentials; use e.g. proxy.contoso.com:8080");
  return `http://${url.hostname}:${url.port || "80"}`;
}

/** @throws Error with one line. */
export function parseSite(text: string): string {
  const site = text.trim();
  if (site === "" || site.length > 64 || /\p{C}/u.test(site))
    throw new Error(`--site "${text.slice(0, 80)}" is not a name of 1 to 64 characters; use e.g. Berlin`);
  return site;
}

/** @throws Error with one line. */
export function parseTag(text: string): string {
  const tag = text.trim();
  if (!/^[\p{L}\p{N}._:=-]{1,64}$/u.test(tag))
    throw new Error(`--tags "${text.slice(0, 80)}" is not a list of words; use e.g. vdi,pilot`);
  return tag;
}

/** @throws Error with one line. */
export function parseProcessorBudget(text: string): number {
  const percent = Number(text);
  if (!/^\d{1,4}(\.\d+)?$/.test(text.trim()) || percent <= 0)
    throw new Error(`--processor-budget "${text}" is not a share of one core in percent; use e.g. 10`);
  return percent;
}

/** @returns bytes. @throws Error with one line. */
export function parseMemoryBudget(text: string): number {
  const megabytes = Number(text);
  if (!/^\d{1,6}$/.test(text.trim()) || megabytes < 64)
    throw new Error(`--memory-budget "${text}" is not a number of megabytes from 64 on; use e.g. 256`);
  return megabytes * 1024 * 1024;
}

/** @throws Error with one line. */
export function parseSuffix(text: string): string {
  const suffix = text
    .trim()
    .toLowerCase()
    .replace(/^\*?\./, "")
    .replace(/\.$/, "");
  if (!/^(?=.{1,255}$)[a-z0-9_:-]+(\.[a-z0-9_-]+)*$/.test(suffix))
    throw new Error(`--allowed-suffixes "${text}" is not a domain; use e.g. contoso.com,contoso.net`);
  return suffix;
}

/** @throws Error with one line. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text.trim()) || port < 1 || port > 65_535)
    throw new Error(`--allowed-ports "${text}" is not a port between 1 and 65535; use e.g. 80,443,5061`);
  return port;
}
