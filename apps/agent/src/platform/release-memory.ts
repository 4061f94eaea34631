import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { loadKoffi } from "./koffi.ts";
import { memoryReleaser as linuxReleaser } from "./linux/release-memory.ts";
import { memoryReleaser as windowsReleaser } from "./windows/release-memory.ts";

/**
 * V8 collects by itself only when memory is asked of it, which an idle process does not do. After this it holds neither
 * garbage nor the compiled form of what ran: until the next cycle only a heartbeat runs, and is soon compiled again.
 */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: object) => void;
  setFlagsFromString("--no-expose-gc");
  return () => {
    setFlagsFromString("--stress-flush-code");
    collect({ type: "major", execution: "sync", flavor: "last-resort" });
    setFlagsFromString("--no-stress-flush-code");
  };
}

/**
 * What gives memory back to the system while the agent is idle; collecting garbage before is worth it after work only.
 * Where the system's libraries cannot be called it collects garbage and no more.
 */
export function memoryReleaser(): (afterWork: boolean) => void {
  const collect = collector();
  let release = () => {};
  try {
    if (process.platform === "linux") release = linuxReleaser(loadKoffi());
    if (process.platform === "win32") release = windowsReleaser(loadKoffi());
  } catch {
    // A C library of another kind: less is given back.
  }
  return (afterWork) => {
    if (afterWork) collect();
    release();
  };
}
