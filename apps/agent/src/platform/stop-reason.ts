import { existsSync } from "node:fs";
import type { RunCommand } from "../proxy/source.ts";

/** There only where systemd is the system's first process. */
const systemd = "/run/systemd/system";

/**
 * Why we are being stopped: because the machine goes down, or for a reason of its own. Asks systemd, which says
 * `stopping` from the moment that a shutdown begins; other systems do not tell cheaply and count as `stop`.
 */
export async function stopReason(
  run: RunCommand,
  { platform = process.platform, exists = existsSync }: { platform?: string; exists?: (path: string) => boolean } = {},
): Promise<"shutdown" | "stop"> {
  if (platform !== "linux" || !exists(systemd)) return "stop";
  const env = { PATH: "/usr/local/bin:/usr/bin:/bin" };
  const state = await run("systemctl", ["show", "--property=SystemState", "--value"], { env }).catch(() => "");
  return state.trim() === "stopping" ? "shutdown" : "stop";
}
