import type { Socket } from "node:net";
import type { ConnectPhase } from "@lynceus/protocol/facts";
import type { ProbeContext } from "./context.ts";
import { DeadlineError, withDeadline } from "./deadline.ts";
import { codeOf } from "./errors.ts";

/** The proxy answered, and refused. */
class SocksRefusal extends Error {}

function readExactly(socket: Socket, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      socket.off("readable", onReadable).off("end", onEnd).off("error", onError).off("close", onEnd);
      act();
    };
    const onReadable = () => {
      const chunk: Buffer | null = socket.read(length);
      if (chunk) settle(() => (chunk.length === length ? resolve(chunk) : reject(new SocksRefusal("short answer"))));
    };
    const onError = (error: Error) => settle(() => reject(error));
    const onEnd = () => settle(() => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" })));
    socket.on("readable", onReadable).on("end", onEnd).on("error", onError).on("close", onEnd);
    onReadable();
  });
}

const portBytes = (port: number) => Buffer.from([port >> 8, port & 0xff]);

/** SOCKS 4a: address 0.0.0.1 says that the name follows. */
async function socks4(socket: Socket, host: string, port: number): Promise<void> {
  socket.write(
    Buffer.concat([Buffer.from([4, 1]), portBytes(port), Buffer.from([0, 0, 0, 1, 0]), Buffer.from(`${host}\0`)]),
  );
  const [version, reply] = await readExactly(socket, 8);
  if (version !== 0 || reply !== 90) throw new SocksRefusal(`reply ${reply}`);
}

/** RFC 1928, no authentication offered: the agent has no credentials. */
async function socks5(socket: Socket, host: string, port: number): Promise<void> {
  socket.write(Buffer.from([5, 1, 0]));
  const [version, method] = await readExactly(socket, 2);
  if (version !== 5 || method !== 0) throw new SocksRefusal(`method ${method}`);
  const name = Buffer.from(host).subarray(0, 255);
  socket.write(Buffer.concat([Buffer.from([5, 1, 0, 3, name.length]), name, portBytes(port)]));
  const head = await readExactly(socket, 4);
  if (head[1] !== 0) throw new SocksRefusal(`reply ${head[1]}`);
  const length = head[3] === 1 ? 4 : head[3] === 4 ? 16 : ((await readExactly(socket, 1))[0] ?? 0);
  await readExactly(socket, length + 2);
}

/**
 * Asks a SOCKS proxy for a connection; the name goes to it unresolved. Success is `status: null, error: null`, because
 * SOCKS has no status. Rejects only when the agent stops.
 */
export async function openSocks(
  socket: Socket,
  version: "socks4" | "socks5",
  host: string,
  port: number,
  ctx: ProbeContext,
): Promise<{ phase: ConnectPhase; socket: Socket | null }> {
  const started = ctx.clock.monotonic();
  const phase = (error: ConnectPhase["error"]): ConnectPhase => ({
    status: null,
    error,
    proxyAuthSchemes: [],
    headers: {},
    ms: ctx.clock.monotonic() - started,
  });
  try {
    await withDeadline(ctx.timeouts.http, ctx.signal, () =>
      (version === "socks4" ? socks4 : socks5)(socket, host, port),
    );
    return { phase: phase(null), socket };
  } catch (error) {
    socket.destroy();
    ctx.signal.throwIfAborted();
    if (error instanceof DeadlineError) return { phase: phase("timeout"), socket: null };
    return { phase: phase(codeOf(error) === "" ? "socks" : "reset"), socket: null };
  }
}
