import { createHash, type X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import { checkServerIdentity, connect, type TLSSocket } from "node:tls";
import type { TlsPhase } from "@lynceus/protocol/facts";
import type { ProbeContext } from "./context.ts";
import { DeadlineError, withDeadline } from "./deadline.ts";
import { codeOf, connectionError } from "./errors.ts";
import { revocationHosts } from "./revocation-hosts.ts";
import { nameField, type TrustStore } from "./trust-store.ts";

/** Chains longer than this are somebody's joke. */
const chainLength = 10;

function shake(socket: Socket, host: string, ctx: ProbeContext, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secure = connect({
      socket,
      secureContext: ctx.trust.context,
      // The name is checked below, so that a wrong one and an untrusted issuer are told apart.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ALPNProtocols: ["http/1.1"],
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    const onAbort = () => {
      secure.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const done = (act: () => void) => {
      signal.removeEventListener("abort", onAbort);
      act();
    };
    secure.once("secureConnect", () => done(() => resolve(secure)));
    secure.once("error", (error) => done(() => reject(error)));
    secure.once("close", () => done(() => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" }))));
    // Stays: an error after the handshake belongs to no phase.
    secure.on("error", () => {});
  });
}

function handshakeError(error: unknown): { error: NonNullable<TlsPhase["error"]>; detail: string } {
  const code = codeOf(error);
  const detail = (code || (error instanceof Error ? error.message : String(error))).slice(0, 256);
  if (error instanceof DeadlineError) return { error: "timeout", detail: "timeout" };
  if (code === "EPROTO" || code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_"))
    return { error: "protocol", detail };
  const connection = connectionError(error);
  return { error: connection === "reset" || connection === "timeout" ? connection : "other", detail };
}

/** The certificates that the server sent, its own first. */
function sentChain(leaf: X509Certificate): X509Certificate[] {
  const chain = [leaf];
  for (let next = leaf.issuerCertificate; next && chain.length < chainLength; next = next.issuerCertificate) {
    if (chain.some((known) => known.fingerprint256 === next?.fingerprint256)) break;
    chain.push(next);
  }
  return chain;
}

/**
 * Whether the server forgot an intermediate (domain 5.0 rule 2). True when the chain goes on from what was sent only
 * through an intermediate of the machine's own store, or when it ends short of a root whose organisation the machine
 * trusts; null when an unknown authority may as well have signed directly.
 */
function isIntermediateMissing(sent: readonly X509Certificate[], trust: TrustStore): boolean | null {
  const last = sent.at(-1);
  if (!last) return null;
  if (last.subject === last.issuer) return false;
  const issuers = trust.issuersOf(last);
  if (issuers.some((issuer) => issuer.subject === issuer.issuer)) return false;
  if (issuers.length > 0) return true;
  const organization = nameField(last.issuer, "O");
  return organization !== null && trust.hasRootOf(organization) ? true : null;
}

const instantOf = (text: string): number | null => {
  const at = Date.parse(text);
  return Number.isFinite(at) && at >= 0 ? at : null;
};

function judge(secure: TLSSocket, host: string, ctx: ProbeContext, ms: number): TlsPhase {
  // In this order: after getPeerX509Certificate, Node 20 gives the other form back empty.
  const detailed = secure.getPeerCertificate(true);
  const leaf = secure.getPeerX509Certificate();
  const sent = leaf ? sentChain(leaf) : [];
  const nameError = leaf ? checkServerIdentity(host, detailed) : undefined;
  const chainError = secure.authorizationError ? String(secure.authorizationError) : null;
  const expired = chainError === "CERT_HAS_EXPIRED" || chainError === "CERT_NOT_YET_VALID";
  // The name first: a portal's or a neighbour's certificate is rarely trusted as well, and its name says more.
  const error = nameError ? "name" : expired ? "expired" : chainError ? "untrusted" : null;
  return {
    ok: error === null,
    error,
    detail: error === "name" ? "ERR_TLS_CERT_ALTNAME_INVALID" : (chainError?.slice(0, 256) ?? null),
    version: secure.getProtocol(),
    alpn: secure.alpnProtocol || null,
    issuerCN: leaf ? nameField(leaf.issuer, "CN") : null,
    issuerO: leaf ? nameField(leaf.issuer, "O") : null,
    subjectCN: leaf ? nameField(leaf.subject, "CN") : null,
    sanMatch: leaf ? !nameError : null,
    chainOk: chainError === null,
    missingIntermediate: leaf ? isIntermediateMissing(sent, ctx.trust) : null,
    notBefore: leaf ? instantOf(leaf.validFrom) : null,
    notAfter: leaf ? instantOf(leaf.validTo) : null,
    spkiSha256: leaf
      ? createHash("sha256")
          .update(leaf.publicKey.export({ type: "spki", format: "der" }))
          .digest("hex")
      : null,
    ...(leaf && { revocationHosts: revocationHosts(sent) }),
    ms,
  };
}

const nothingSeen = {
  version: null,
  alpn: null,
  issuerCN: null,
  issuerO: null,
  subjectCN: null,
  sanMatch: null,
  chainOk: null,
  missingIntermediate: null,
  notBefore: null,
  notAfter: null,
  spkiSha256: null,
};

/**
 * Makes a TLS client handshake over `socket` and judges the certificate by the machine's store (rule 2). The socket
 * is given back also when the certificate is bad, so that what answers behind it can be recorded as evidence; nothing
 * it says is ever trusted. Rejects only when the agent stops.
 */
export async function handshake(
  socket: Socket,
  host: string,
  ctx: ProbeContext,
): Promise<{ phase: TlsPhase; socket: TLSSocket | null }> {
  const started = ctx.clock.monotonic();
  try {
    const secure = await withDeadline(ctx.timeouts.tls, ctx.signal, (signal) => shake(socket, host, ctx, signal));
    return { phase: judge(secure, host, ctx, ctx.clock.monotonic() - started), socket: secure };
  } catch (error) {
    socket.destroy();
    ctx.signal.throwIfAborted();
    return {
      phase: { ok: false, ...handshakeError(error), ...nothingSeen, ms: ctx.clock.monotonic() - started },
      socket: null,
    };
  }
}
