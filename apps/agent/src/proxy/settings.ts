import { createHash, createHmac } from "node:crypto";
import type { Configuration, SettingsFacts, UserSettings } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import { configurationId } from "@lynceus/proxy-settings/configuration";
import { type InForce, inForce } from "@lynceus/proxy-settings/effective";
import { readEnvironment } from "./environment.ts";
import { readSettingsFile } from "./file.ts";
import { readGnome } from "./gnome.ts";
import { readKde } from "./kde.ts";
import { readMacos } from "./macos.ts";
import { type SourceContext, type SourceReading, self, type UserReading } from "./source.ts";
import { readWindowsSettings, type WindowsSettings } from "./windows-settings.ts";
import type { ZoneSettings } from "./zone-map.ts";

/** Configurations probed in one cycle (domain 5.0 rule 5). */
export const maxProbed = 8;
/** Of these, the most used ones that no cycle leaves out where there are more than fit; the rest have turns. */
const alwaysProbed = 6;

export interface SettingsContext extends SourceContext {
  /** Random per machine: users are told apart by an HMAC with it, never by name (domain 6.4). */
  readonly salt: string;
  /** The users of the last reading that found some: their settings stand while nobody is signed in (domain 5.0 rule 5). */
  readonly lastUsers?: LastUsers;
}

/** Kept between readings, by whoever reads more than once. */
export interface LastUsers {
  users: readonly UserReading[];
}

export interface ReadSettings {
  readonly facts: SettingsFacts;
  /** By configuration id, with the script addresses that do not leave the machine. */
  readonly configurations: ReadonlyMap<string, InForce>;
  /** Windows: the zones of each configuration, as the first of its users has them (domain 4.8). */
  readonly zones: ReadonlyMap<string, ZoneSettings>;
  /** A user of each configuration in the source's own words, for what has to be asked in a user's name. */
  readonly userOf: ReadonlyMap<string, string>;
  /** Why `--proxy-settings` could not be used, else null. */
  readonly fileError: string | null;
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** No proxy anywhere. */
const none = inForce({ autoDetect: false, pacUrl: null, server: null, bypass: "", source: "none", dialect: "unix" });

const isOff = ({ settings }: InForce) => !settings.autoDetect && settings.pacUrl === null && settings.server === null;

/**
 * What is in force for each user: the desktop's settings where they say something, else the environment's, else
 * nothing. There is no standard (domain 4.10); this is what browsers on a desktop do.
 */
function usersOf(readings: readonly SourceReading[]): UserReading[] {
  const file = readings.find(({ name }) => name === "file");
  if (file && file.users.length > 0) return [...file.users];
  const environment = readings.find(({ name }) => name === "environment")?.users[0];
  const desktops = readings.filter(({ name }) => name === "gnome" || name === "kde" || name === "macos");
  // A machine may have two desktops: for each user the first counts that says something.
  const byUser = new Map<string, UserReading>();
  for (const reading of desktops.flatMap(({ users }) => users)) {
    const known = byUser.get(reading.user);
    if (!known || isOff(known.inForce)) byUser.set(reading.user, reading);
  }
  const desktop = [...byUser.values()];
  const fallback = environment ?? { user: self, inForce: none, legacy: null };
  if (desktop.length === 0) return [fallback];
  return desktop.map((reading) => (isOff(reading.inForce) ? { ...fallback, user: reading.user } : reading));
}

/**
 * Ids of the configurations that a cycle probes: those of every cycle, and as many of the others as there is room for,
 * in turn.
 * @param turn number of the cycle.
 */
export function probedInTurn(configurations: readonly Configuration[], turn: number): string[] {
  const always = configurations.filter(({ probed }) => probed);
  const others = configurations.filter(({ probed }) => !probed);
  const room = Math.min(maxProbed - always.length, others.length);
  const taken = Array.from({ length: room }, (_, i) => others[(turn * room + i) % others.length]);
  return [...always, ...taken].flatMap((one) => (one ? [one.id] : []));
}

/** The most that the users of one report may take of a message, as JSON text. */
const maxUsersChars = 384 * 1024;

/**
 * Users as they are told. Of a terminal server with hundreds, those that are like another in everything that rules the
 * way lose their detail first, so that the report fits a message.
 */
function bounded(users: readonly UserSettings[]): UserSettings[] {
  const told = users.slice(0, limits.users);
  let chars = JSON.stringify(told).length;
  const detailed = new Set<string>();
  return told.map((user) => {
    const brief = { ...user, blob: null, legacy: null, windows: null };
    const first = !detailed.has(user.configuration);
    detailed.add(user.configuration);
    if (chars <= maxUsersChars || (first && detailed.size <= maxProbed)) return user;
    chars -= JSON.stringify(user).length - JSON.stringify(brief).length;
    return brief;
  });
}

/** What was read of this machine, before users become configurations. */
interface Gathered {
  readonly users: readonly UserReading[];
  readonly sources: readonly SourceReading[];
  readonly nobodySignedIn: boolean;
  /** In force although no user has it. */
  readonly always: InForce | null;
  readonly windows: WindowsSettings | null;
}

async function gather(ctx: SettingsContext): Promise<Gathered> {
  const { windows } = ctx;
  if (ctx.settingsFile === null && ctx.platform === "win32" && windows) {
    // HTTP_PROXY is no setting of Windows (domain 8, trap 18): without the registry nothing is known.
    if ("why" in windows) {
      const sources = [{ name: "windows", outcome: windows.why, users: [] }];
      return { users: [], sources, nobodySignedIn: false, always: null, windows: null };
    }
    const read = readWindowsSettings(windows);
    const unreadable = read.sources.some(({ name, outcome }) => name === "wininet" && outcome.startsWith("HKEY_USERS"));
    const nobodySignedIn = read.users.length === 0 && !unreadable;
    const users = nobodySignedIn ? (ctx.lastUsers?.users ?? []) : read.users;
    if (ctx.lastUsers && read.users.length > 0) ctx.lastUsers.users = read.users;
    const always = nobodySignedIn ? read.machineWide : null;
    return { users, sources: read.sources, nobodySignedIn, always, windows: read };
  }
  const sources =
    ctx.settingsFile !== null
      ? [await readSettingsFile(ctx)]
      : await Promise.all([readEnvironment, readGnome, readKde, readMacos].map((read) => read(ctx)));
  return { users: usersOf(sources), sources, nobodySignedIn: false, always: null, windows: null };
}

/**
 * Reads every proxy source of this machine: one configuration per distinct settings in force (domain 5.0 rule 5).
 * Elsewhere than on Windows the agent's own user always counts as signed in.
 */
export async function readSettings(ctx: SettingsContext): Promise<ReadSettings> {
  const { users: readings, sources, nobodySignedIn, always, windows } = await gather(ctx);
  const configurations = new Map<string, InForce>();
  const counts = new Map<string, number>();
  const userOf = new Map<string, string>();
  const idOf = ({ settings, scriptUrl }: InForce) => configurationId(settings, sha256, scriptUrl);
  const users: UserSettings[] = readings.map((reading) => {
    const configuration = idOf(reading.inForce);
    configurations.set(configuration, configurations.get(configuration) ?? reading.inForce);
    counts.set(configuration, (counts.get(configuration) ?? 0) + 1);
    if (!userOf.has(configuration)) userOf.set(configuration, reading.user);
    return {
      id: createHmac("sha256", ctx.salt).update(reading.user).digest("hex").slice(0, 16),
      configuration,
      blob: reading.blob ?? null,
      legacy: reading.legacy,
      mismatch: reading.mismatch ?? false,
      ...(reading.windows === undefined ? {} : { windows: reading.windows }),
    };
  });
  if (always !== null) configurations.set(idOf(always), configurations.get(idOf(always)) ?? always);
  // The most used first, so that the bound of eight leaves out those that matter least.
  const ordered = [...configurations].sort(
    ([a], [b]) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || (a < b ? -1 : 1),
  );
  const listed: Configuration[] = ordered.slice(0, limits.configurations).map(([id, { settings }], index) => ({
    id,
    settings,
    users: counts.get(id) ?? 0,
    probed: index < (ordered.length <= maxProbed ? maxProbed : alwaysProbed),
  }));
  const failed = ctx.settingsFile !== null && sources[0]?.outcome !== "read";
  return {
    facts: {
      users: bounded(users),
      configurations: listed,
      nobodySignedIn,
      winhttp64: null,
      winhttp32: null,
      policy: { ProxySettingsPerUser: null, gpoManaged: null, DisableWpad: null },
      ...windows?.facts,
      sources: sources.map(({ name, outcome }) => ({ name, outcome: outcome.slice(0, 256) })),
    },
    configurations,
    zones: new Map(windows ? [...userOf].map(([id, user]) => [id, windows.zones(user)]) : []),
    userOf,
    fileError: failed ? (sources[0]?.outcome ?? "unreadable") : null,
  };
}
