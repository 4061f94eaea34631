import type { HttpPhase, Route } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import { isLoginFormPath } from "@lynceus/protocol/login-form";
import type { Target } from "@lynceus/protocol/policy";
import type { ProbeContext } from "./context.ts";
import { isInsideFence } from "./fence.ts";
import { getOnce } from "./http.ts";
import { nothingReached, type ProbePhases, type Prober, portOf, type RouteTo } from "./prober.ts";
import { reach } from "./reach.ts";
import { handshake } from "./tls.ts";

/** Redirects that autodiscover clients follow and we therefore do (domain 6.2). */
const maxRedirects = 3;

const accepts = (target: Target) => (target.service === "lync-discover" ? "application/json" : "*/*");

async function fetchPage(
  host: string,
  port: number,
  path: string,
  target: Target,
  route: Route,
  ctx: ProbeContext,
): Promise<ProbePhases> {
  const { socket, ...phases } = await reach(host, port, route, ctx);
  if (!socket) return { ...nothingReached, ...phases };
  const tls = await handshake(socket, host, ctx);
  if (!tls.socket) return { ...nothingReached, ...phases, tls: tls.phase };
  const asked = { host, port, scheme: "https", path, accept: accepts(target), absolute: false } as const;
  const http = await getOnce(tls.socket, { ...asked, untrusted: !tls.phase.ok }, ctx);
  return { ...nothingReached, ...phases, tls: tls.phase, http };
}

/** An IPv6 address without its brackets. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "");

/** Where a redirect leads, if it is https and inside the fence. */
function nextHop(http: HttpPhase | null, from: string, ctx: ProbeContext): URL | null {
  if (!http?.location || http.status === null || http.status < 300 || http.status > 399) return null;
  const url = URL.canParse(http.location, from) ? new URL(http.location, from) : null;
  if (url?.protocol !== "https:" || isLoginFormPath(url.pathname)) return null;
  return isInsideFence(hostOf(url), Number(url.port || 443), ctx.fence) ? url : null;
}

/**
 * Autodiscover clients follow redirects, so its answer is the one at their end: at most three, each inside the fence
 * and over the route of its own address. A hop that gives no answer leaves the redirect itself as the answer, and so
 * does a log-in form, which no client can fill in: where it leads says more than the page.
 */
async function followAutodiscover(
  first: HttpPhase,
  target: Target,
  routeTo: RouteTo,
  ctx: ProbeContext,
): Promise<HttpPhase> {
  let last = first;
  let at = `https://${target.host}:${portOf(target)}${target.path ?? "/"}`;
  const redirects: string[] = [];
  while (redirects.length < maxRedirects) {
    const next = nextHop(last, at, ctx);
    if (!next) break;
    const host = hostOf(next);
    const port = Number(next.port || 443);
    const route = await routeTo({ ...target, host, port, path: next.pathname });
    const { http } = await fetchPage(host, port, next.pathname, target, route, ctx);
    if (http?.status == null) break;
    redirects.push(next.host.slice(0, limits.urlChars));
    at = next.href;
    last = http;
  }
  return redirects.length === 0 ? first : { ...last, redirects };
}

/**
 * GET over TLS. A certificate that does not verify does not end it: the answer behind it is recorded as `untrusted`.
 * Redirects are recorded and not followed, but for autodiscover.
 */
export const probeHttps: Prober = async (target, route, ctx, routeTo) => {
  const phases = await fetchPage(target.host, portOf(target), target.path ?? "/", target, route, ctx);
  const follow = target.service === "autodiscover" || target.service === "apex";
  if (!phases.http || !follow) return phases;
  return { ...phases, http: await followAutodiscover(phases.http, target, routeTo, ctx) };
};
