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

/** Configurations probed in one cycle (domain 5.0 rule 5). */
export const maxProbed = 8;
/** Of these, the most used ones that no cycle leaves out where there are more than fit; the rest have turns. */
const alwaysProbed = 6;

export interface SettingsContext extends SourceContext {
  /** Random per machine: users are told apart by an HMAC with it, never by name (domain 6.4). */
  readonly salt: string;
}

export interface ReadSettings {
  readonly facts: SettingsFacts;
  /** By configuration id, with the script addresses that do not leave the machine. */
  readonly configurations: ReadonlyMap<string, InForce>;
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

/**
 * Reads every proxy source of this machine: one configuration per distinct settings in force (domain 5.0 rule 5).
 * The agent's own user always counts as signed in here; only Windows knows machines without anyone.
 */
export async function readSettings(ctx: SettingsContext): Promise<ReadSettings> {
  const readings =
    ctx.settingsFile !== null
      ? [await readSettingsFile(ctx)]
      : await Promise.all([readEnvironment, readGnome, readKde, readMacos].map((read) => read(ctx)));
  const configurations = new Map<string, InForce>();
  const counts = new Map<string, number>();
  const users: UserSettings[] = usersOf(readings).map((reading) => {
    const { settings, scriptUrl } = reading.inForce;
    const configuration = configurationId(settings, sha256, scriptUrl);
    configurations.set(configuration, configurations.get(configuration) ?? reading.inForce);
    counts.set(configuration, (counts.get(configuration) ?? 0) + 1);
    return {
      id: createHmac("sha256", ctx.salt).update(reading.user).digest("hex").slice(0, 16),
      configuration,
      blob: null,
      legacy: reading.legacy,
      mismatch: false,
    };
  });
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
  const failed = ctx.settingsFile !== null && readings[0]?.outcome !== "read";
  return {
    facts: {
      users: users.slice(0, limits.users),
      configurations: listed,
      nobodySignedIn: false,
      winhttp64: null,
      winhttp32: null,
      policy: { ProxySettingsPerUser: null, gpoManaged: null, DisableWpad: null },
      sources: readings.map(({ name, outcome }) => ({ name, outcome: outcome.slice(0, 256) })),
    },
    configurations,
    fileError: failed ? (readings[0]?.outcome ?? "unreadable") : null,
  };
}
