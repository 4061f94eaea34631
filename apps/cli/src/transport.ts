import * as tls from "node:tls";
import { EnvHttpProxyAgent } from "undici";

/** Certificates that a collector may be verified by: Node's, the system's where this Node reads it, and one of our own. */
export function trustedAuthorities(own: string | null): string[] {
  // Node 22.15 and newer.
  const { getCACertificates } = tls as { getCACertificates?: (kind: "system") => string[] };
  const system = getCACertificates ? getCACertificates("system") : [];
  return [...tls.rootCertificates, ...system, ...(own ? [own] : [])];
}

/** `fetch` that trusts one authority more, and goes through HTTPS_PROXY where that is set. */
export function trustedFetch(own: string | null): (request: Request) => Promise<Response> {
  const ca = trustedAuthorities(own);
  const dispatcher = new EnvHttpProxyAgent({
    connect: { ca, timeout: 10_000 },
    requestTls: { ca },
    headersTimeout: 60_000,
    // Events come when something happens.
    bodyTimeout: 0,
  });
  return (request) => fetch(request, { dispatcher } as unknown as RequestInit);
}
