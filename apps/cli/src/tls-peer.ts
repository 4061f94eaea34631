import { createHash, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { trustedAuthorities } from "./transport.ts";

/** What a server shows of itself before anything is asked of it. */
export interface TlsPeer {
  /** From the server's own to its authority's. */
  readonly chain: readonly X509Certificate[];
  /** Null when it is verified, with its name. */
  readonly refusal: string | null;
}

const words: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "it has ended",
  CERT_NOT_YET_VALID: "it does not hold yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "it is signed by itself",
  ERR_TLS_CERT_ALTNAME_INVALID: "it is for other names",
  SELF_SIGNED_CERT_IN_CHAIN: "its authority is not known here",
  UNABLE_TO_GET_ISSUER_CERT: "its authority is not known here",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its authority is not known here",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its authority is not known here, and its chain is not whole",
};

function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  // An authority's issuer is itself.
  for (
    let at: PeerCertificate | undefined = socket.getPeerCertificate(true);
    at?.raw && !chain.some((one) => one.raw.equals(at?.raw ?? Buffer.alloc(0)));
    at = (at as Partial<{ issuerCertificate: PeerCertificate }>).issuerCertificate
  )
    chain.push(new X509Certificate(at.raw));
  return chain;
}

/** Looks at a server's certificate; sends it nothing. @throws the system's error when nothing can be seen */
export function inspectTls(url: URL, own: string | null, timeoutMs = 10_000): Promise<TlsPeer> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(url.port || 443),
      ...(isIP(host) ? {} : { servername: host }),
      ca: trustedAuthorities(own),
      // What is wrong with it is what we want to know.
      rejectUnauthorized: false,
      timeout: timeoutMs,
    });
    socket.once("secureConnect", () => {
      // Node's types say Error, and it is a code.
      const code = String(socket.authorizationError);
      resolve({ chain: chainOf(socket), refusal: socket.authorized ? null : (words[code] ?? code) });
      socket.destroy();
    });
    socket.once("timeout", () => socket.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    socket.once("error", reject);
  });
}

/** Hex SHA-256 over a certificate's public key, as the collector logs it and enrolment tokens carry it. */
export const pinOf = (certificate: X509Certificate): string =>
  createHash("sha256")
    .update(certificate.publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
