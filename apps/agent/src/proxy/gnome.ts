import { readdir } from "node:fs/promises";
import { parseGsettings } from "@lynceus/proxy-settings/gsettings";
import { codeOf } from "../probes/errors.ts";
import { type ProxySource, type SourceContext, self, type UserReading } from "./source.ts";

const schema = "org.gnome.system.proxy";
/** Below are accounts of the system. */
const firstUser = 1000;
const runtimeDirectories = "/run/user";

/** Users with a session, as root may see them; otherwise only the agent's own. */
async function sessions(ctx: SourceContext): Promise<(number | null)[]> {
  if (ctx.uid !== 0) return [null];
  const names = await readdir(runtimeDirectories).catch(() => []);
  const users = names.map(Number).filter((uid) => Number.isInteger(uid) && uid >= firstUser);
  return users.length > 0 ? users : [null];
}

function ask(uid: number | null, ctx: SourceContext): Promise<string> {
  const { PATH = "/usr/local/bin:/usr/bin:/bin", HOME = "/" } = ctx.environment;
  const runtime = uid === null ? ctx.environment.XDG_RUNTIME_DIR : `${runtimeDirectories}/${uid}`;
  const env = {
    PATH,
    // Another user's home is not ours to guess: dconf then reads by the session's bus.
    ...(uid === null ? { HOME } : {}),
    ...(runtime ? { XDG_RUNTIME_DIR: runtime, DBUS_SESSION_BUS_ADDRESS: `unix:path=${runtime}/bus` } : {}),
  };
  return ctx.run("gsettings", ["list-recursively", schema], { env, ...(uid === null ? {} : { uid, gid: uid }) });
}

/** GNOME's network settings, asked of `gsettings` for each signed-in user (domain 4.10). */
export const readGnome: ProxySource = async (ctx) => {
  const name = "gnome";
  if (ctx.platform !== "linux") return { name, outcome: "not on this system", users: [] };
  const users: UserReading[] = [];
  let outcome = "absent";
  for (const uid of await sessions(ctx)) {
    try {
      const inForce = parseGsettings(await ask(uid, ctx));
      if (!inForce) continue;
      users.push({ user: uid === null ? self : String(uid), inForce, legacy: null });
      outcome = "read";
    } catch (error) {
      if (outcome !== "read") outcome = codeOf(error) === "ENOENT" ? "absent" : `gsettings: ${describe(error)}`;
    }
  }
  return { name, outcome: outcome.slice(0, 256), users };
};

/** The first line of what went wrong; a missing schema is told there. */
const describe = (error: unknown) => (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
