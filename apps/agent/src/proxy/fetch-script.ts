import type { PacFacts } from "@lynceus/protocol/facts";
import { inspectedBytes } from "../probes/body-class.ts";
import type { ProbeContext } from "../probes/context.ts";
import { DeadlineError, withDeadline } from "../probes/deadline.ts";
import { resolveName } from "../probes/dns.ts";
import { reportHeaders } from "../probes/headers.ts";
import { sendGet } from "../probes/http.ts";
import { connectTcp } from "../probes/tcp.ts";
import { handshake } from "../probes/tls.ts";
import type { KeptScript } from "./script-memory.ts";

/** As Chrome: a script is below 1 MB (domain 4.6). */
export const maxScriptBytes = 1024 * 1024;

/** What came of fetching a script. `body` is there only when `fetch` is `ok`, `html` is looked for in any body. */
export interface FetchedScript {
  readonly fetch: PacFacts["fetch"];
  readonly body: Buffer | null;
  readonly contentType: string | null;
  readonly authSchemes: string[];
  /** The first bytes of whatever came, to tell a log-in page from a script. */
  readonly start: Buffer;
  /** Addresses that the script's host resolved to. */
  readonly addresses: string[];
}

const failed = (fetch: PacFacts["fetch"], parts: Partial<FetchedScript> = {}): FetchedScript => ({
  fetch,
  body: null,
  contentType: null,
  authSchemes: [],
  start: Buffer.alloc(0),
  addresses: [],
  ...parts,
});

/** A validator as it may be sent back; what does not look like one is not kept. */
const validator = (value: string | undefined): string | null =>
  value !== undefined && /^[\x20-\x7e]{1,256}$/.test(value) ? value : null;

/** Asks for the script only where it is another one than `known`. */
const conditionsOf = (known: KeptScript | null) => ({
  ...(known?.etag ? { "If-None-Match": known.etag } : {}),
  ...(known?.lastModified ? { "If-Modified-Since": known.lastModified } : {}),
});

async function fetchNow(url: URL, ctx: ProbeContext): Promise<FetchedScript> {
  const known = ctx.scripts?.fetched(url.href) ?? null;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const scheme = url.protocol === "https:" ? "https" : "http";
  const port = Number(url.port || (scheme === "https" ? 443 : 80));
  const { ok, addresses } = await resolveName(host, ctx);
  if (!ok) return failed("dns");
  const tcp = await connectTcp(host, addresses, port, ctx);
  if (!tcp.socket) return failed(tcp.phase.error === "timeout" ? "timeout" : "tcp", { addresses });
  let socket = tcp.socket;
  if (scheme === "https") {
    const tls = await handshake(socket, host, ctx);
    if (!tls.socket || !tls.phase.ok) {
      tls.socket?.destroy();
      return failed(tls.phase.error === "timeout" ? "timeout" : "tls", { addresses });
    }
    socket = tls.socket;
  }
  try {
    const path = `${url.pathname}${url.search}`;
    const conditions = conditionsOf(known);
    const asked = { host, port, scheme, path, accept: "*/*", absolute: false, untrusted: false, conditions } as const;
    const response = await sendGet(socket, asked, ctx, ctx.signal);
    if (known && response.statusCode === 304) return { ...known.script, addresses };
    const { headers, wwwAuth, proxyAuth } = reportHeaders(response.rawHeaders);
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= maxScriptBytes || (response.statusCode !== 200 && length >= inspectedBytes)) break;
    }
    const all = Buffer.concat(chunks);
    const parts = {
      contentType: headers["content-type"]?.slice(0, 256) ?? null,
      authSchemes: [...wwwAuth, ...proxyAuth],
      start: all.subarray(0, inspectedBytes),
      addresses,
    };
    if (response.statusCode !== 200) return failed(`http-${response.statusCode}`, parts);
    if (length >= maxScriptBytes) return failed("too-big", parts);
    const script: FetchedScript = { fetch: "ok", body: all, ...parts };
    const etag = validator(response.headers.etag);
    const lastModified = validator(response.headers["last-modified"]);
    if (etag || lastModified) ctx.scripts?.keep(url.href, { etag, lastModified, script });
    return script;
  } finally {
    socket.destroy();
  }
}

/**
 * Fetches a proxy script as WinHTTP does: http and https only, never through a proxy, no login, no redirect, exactly
 * 200, below 1 MB, within 10 s (domain 4.6). One that is known is asked for on condition; "not modified" is the known
 * one again. Every failure is a result. Rejects only when the agent stops.
 */
export async function fetchScript(address: string, ctx: ProbeContext): Promise<FetchedScript> {
  const url = URL.canParse(address) ? new URL(address) : null;
  // file:// and drive paths too: parts of the client cannot read them (KB 2769142).
  if (url?.protocol !== "http:" && url?.protocol !== "https:") return failed("unsupported-scheme");
  try {
    return await withDeadline(ctx.timeouts.pacFetch, ctx.signal, (signal) => fetchNow(url, { ...ctx, signal }));
  } catch (error) {
    ctx.signal.throwIfAborted();
    return failed(error instanceof DeadlineError ? "timeout" : "tcp");
  }
}
