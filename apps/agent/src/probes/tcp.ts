import { connect, type Socket } from "node:net";
import type { TcpPhase } from "@lynceus/protocol/facts";
import type { ProbeContext } from "./context.ts";
import { withDeadline } from "./deadline.ts";
import { connectionError } from "./errors.ts";

/** Addresses of one name that are tried, in the resolver's order; more only use up the deadline. */
const attempts = 4;

function open(address: string, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const onAbort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("connect", () => {
      signal.removeEventListener("abort", onAbort);
      socket.removeAllListeners("error");
      // A later phase listens for itself; an error between two phases must not end the process.
      socket.on("error", () => {});
      resolve(socket);
    });
    socket.once("error", (error) => {
      signal.removeEventListener("abort", onAbort);
      reject(error);
    });
  });
}

/**
 * Connects to the first of `addresses` that accepts. A refused port is a result; `socket` is then null. The caller
 * owns the socket. Rejects only when the agent stops.
 */
export async function connectTcp(
  host: string,
  addresses: readonly string[],
  port: number,
  ctx: ProbeContext,
): Promise<{ phase: TcpPhase; socket: Socket | null }> {
  const started = ctx.clock.monotonic();
  const tried = addresses.slice(0, attempts);
  let phase: TcpPhase = { ok: false, host, address: null, port, error: "other", ms: 0 };
  for (const [index, address] of tried.entries()) {
    const left = ctx.timeouts.tcp - (ctx.clock.monotonic() - started);
    try {
      const share = Math.max(1, left / (tried.length - index));
      const socket = await withDeadline(share, ctx.signal, (signal) => open(address, port, signal));
      return { phase: { ok: true, host, address, port, error: null, ms: ctx.clock.monotonic() - started }, socket };
    } catch (error) {
      ctx.signal.throwIfAborted();
      phase = { ...phase, address, error: connectionError(error), ms: ctx.clock.monotonic() - started };
    }
  }
  return { phase, socket: null };
}
