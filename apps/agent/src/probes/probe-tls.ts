import { nothingReached, type Prober, portOf } from "./prober.ts";
import { reach } from "./reach.ts";
import { handshake } from "./tls.ts";

/** Does the port accept, and with which certificate? For SIP over TLS and neutral hosts. */
export const probeTls: Prober = async (target, route, ctx) => {
  const { socket, ...phases } = await reach(target.host, portOf(target), route, ctx);
  if (!socket) return { ...nothingReached, ...phases };
  const tls = await handshake(socket, target.host, ctx);
  tls.socket?.destroy();
  return { ...nothingReached, ...phases, tls: tls.phase };
};
