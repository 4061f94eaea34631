import type { Socket } from "node:net";
import type { ConnectPhase, DnsPhase, ProxyAddress, Route, TcpPhase } from "@lynceus/protocol/facts";
import { openTunnel } from "./connect.ts";
import type { ProbeContext } from "./context.ts";
import { resolveName } from "./dns.ts";
import { openSocks } from "./socks.ts";
import { connectTcp } from "./tcp.ts";
import { handshake } from "./tls.ts";

/** The phases up to a connection to the target, and the connection where one came about. */
export interface Reached {
  readonly dns: DnsPhase | null;
  readonly tcp: TcpPhase | null;
  readonly connect: ConnectPhase | null;
  readonly socket: Socket | null;
}

async function throughProxy(
  socket: Socket,
  proxy: ProxyAddress,
  host: string,
  port: number,
  ctx: ProbeContext,
): Promise<{ phase: ConnectPhase; socket: Socket | null }> {
  if (proxy.scheme === "socks4" || proxy.scheme === "socks5") return openSocks(socket, proxy.scheme, host, port, ctx);
  if (proxy.scheme === "http") return openTunnel(socket, host, port, ctx);
  // A PAC's `HTTPS host:port`: TLS to the proxy itself, then CONNECT inside.
  const { phase, socket: secure } = await handshake(socket, proxy.host, ctx);
  if (secure && phase.ok) return openTunnel(secure, host, port, ctx);
  secure?.destroy();
  const error = phase.error === "timeout" || phase.error === "reset" ? phase.error : "protocol";
  return { phase: { status: null, error, proxyAuthSchemes: [], headers: {}, ms: phase.ms }, socket: null };
}

/**
 * Opens a connection to `host:port` over `route`: DNS and TCP to the next hop, then through the proxy where there is
 * one (rule 4: the target's own name is then never resolved here).
 * @param plainHttp the page is to be asked of the proxy itself, so that no tunnel is needed.
 */
export async function reach(
  host: string,
  port: number,
  route: Route,
  ctx: ProbeContext,
  { plainHttp = false } = {},
): Promise<Reached> {
  // A route that could not be told is not guessed.
  if (route.kind === "unknown" || (route.kind === "proxy" && !route.proxy))
    return { dns: null, tcp: null, connect: null, socket: null };
  const proxy = route.kind === "proxy" ? route.proxy : null;
  const hop = proxy ?? { host, port };
  const dns = await resolveName(hop.host, ctx);
  const addresses = dns.addresses.filter((address) => !ctx.refusesAddress?.(address));
  if (!dns.ok || addresses.length === 0) return { dns, tcp: null, connect: null, socket: null };
  const tcp = await connectTcp(hop.host, addresses, hop.port, ctx);
  const direct = !proxy || (plainHttp && proxy.scheme === "http");
  if (!tcp.socket || direct || !proxy) return { dns, tcp: tcp.phase, connect: null, socket: tcp.socket };
  const { phase, socket } = await throughProxy(tcp.socket, proxy, host, port, ctx);
  return { dns, tcp: tcp.phase, connect: phase, socket };
}
