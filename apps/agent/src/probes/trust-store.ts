import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";

/** The operating system's certificates (domain 5.0 rule 2). Never a runtime's built-in roots. */
export interface TrustStore {
  /** Where they came from, or why there are none. */
  readonly source: string;
  /** Verifies against this store alone. */
  readonly context: SecureContext;
  /** Certificates of the store whose subject is `certificate`'s issuer and whose key signed it. */
  issuersOf(certificate: X509Certificate): X509Certificate[];
  /** Whether a root of the store belongs to this organisation. */
  hasRootOf(organization: string): boolean;
}

/** Debian, Fedora and RHEL (two eras), openSUSE, Alpine and macOS. */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** What a store that Windows gave calls itself. */
export const windowsStore = "Windows' store";

/** One line of an X.509 name as Node prints it: `O=Contoso`. */
export const nameField = (name: string, field: string): string | null => {
  const line = name.split("\n").find((part) => part.startsWith(`${field}=`));
  return line === undefined ? null : line.slice(field.length + 1).slice(0, 256);
};

/**
 * Makes a store of PEM certificates.
 * An unreadable certificate is left out: distributions carry some that a given OpenSSL does not parse.
 */
export function makeTrustStore(pem: string, source: string): TrustStore {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  // Parsed only for the rare questions about intermediates.
  let parsed: X509Certificate[] | null = null;
  const certificates = () => {
    parsed ??= blocks.flatMap((block) => {
      try {
        return [new X509Certificate(block)];
      } catch {
        return [];
      }
    });
    return parsed;
  };
  // An empty list, not undefined: undefined would mean the runtime's own roots.
  const context = createSecureContext({ ca: blocks });
  return {
    source,
    context,
    issuersOf: (certificate) =>
      certificates().filter((one) => certificate.checkIssued(one) && certificate.verify(one.publicKey)),
    hasRootOf: (organization) =>
      certificates().some((one) => one.subject === one.issuer && nameField(one.subject, "O") === organization),
  };
}

/**
 * Reads the store of this machine: `SSL_CERT_FILE` first, then Windows' own store or the distribution's bundle. A machine with neither
 * trusts nothing, which the source says.
 * @param environment for `SSL_CERT_FILE`.
 * @param windows what Windows trusts; null on every other system.
 */
export function readTrustStore(
  environment: Readonly<Record<string, string | undefined>>,
  windows: (() => readonly string[]) | null = null,
): TrustStore {
  const named = environment.SSL_CERT_FILE;
  if (!named && windows !== null) {
    const found = windows();
    return makeTrustStore(found.join("\n"), found.length > 0 ? windowsStore : `${windowsStore} holds no certificate`);
  }
  for (const path of named ? [named] : bundles) {
    try {
      return makeTrustStore(readFileSync(path, "utf8"), path);
    } catch {
      // The next place; a file that is named and cannot be read leaves nothing to trust, as OpenSSL has it.
    }
  }
  return makeTrustStore("", named ? `SSL_CERT_FILE ${named} cannot be read` : "no bundle on this system");
}
