import type { AgentWorld } from "../../agent.ts";
import type { Koffi } from "../koffi.ts";
import { privateAccess, setAccess } from "./access.ts";
import { machineProtection } from "./data-protection.ts";

/** How Windows keeps the data directory and the key in it. */
export const windowsWorld = (koffi: Koffi): Pick<AgentWorld, "keyProtection" | "secureDirectory"> & object => ({
  keyProtection: machineProtection(koffi),
  secureDirectory: (path) => setAccess(koffi, path, privateAccess),
});
