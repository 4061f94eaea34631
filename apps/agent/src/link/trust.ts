import { createHash, X509Certificate } from "node:crypto";
import type { ConnectionOptions, DetailedPeerCertificate } from "node:tls";

/** Lower-case hex SHA-256 of a certificate's SubjectPublicKeyInfo. */
export function spkiSha256(certificate: X509Certificate): string {
  return createHash("sha256")
    .update(certificate.publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}

/**
 * The certificate with the pinned key among those that a server presented, as PEM; null where there is none.
 * That it is *in* the chain proves nothing yet: anyone can send a copy of it. The handshake has to be done again with
 * it as the only root (`verifiedOptions`).
 */
export function authorityInChain(leaf: DetailedPeerCertificate, pin: string): string | null {
  const seen = new Set<DetailedPeerCertificate>();
  // A root is its own issuer, and a hostile chain could be long.
  for (let one = leaf; one?.raw && !seen.has(one) && seen.size < 10; one = one.issuerCertificate) {
    seen.add(one);
    try {
      const certificate = new X509Certificate(one.raw);
      if (spkiSha256(certificate) === pin) return certificate.toString();
    } catch {
      // A certificate with a key that cannot be read is not the pinned one.
    }
  }
  return null;
}

/**
 * TLS options that accept a chain only when it ends at this authority: signatures, dates, constraints and purpose are
 * OpenSSL's to judge. The name may differ, because a pinned authority signs for the collector alone.
 */
export const verifiedOptions = (authorityPem: string): ConnectionOptions => ({
  ca: [authorityPem],
  rejectUnauthorized: true,
  checkServerIdentity: () => undefined,
});
