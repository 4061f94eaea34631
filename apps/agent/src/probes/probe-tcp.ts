import { nothingReached, type Prober, portOf } from "./prober.ts";
import { reach } from "./reach.ts";

/** Does the port accept? Nothing is said on it (domain 3.1: "do not send SIP"). */
export const probeTcp: Prober = async (target, route, ctx) => {
  const { socket, ...phases } = await reach(target.host, portOf(target), route, ctx);
  socket?.destroy();
  return { ...nothingReached, ...phases };
};
