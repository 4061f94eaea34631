import "reflect-metadata";
import { createHash, webcrypto, X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";

/*
 * Certificates made while the test runs: nothing to renew, nothing secret in the tree.
 * EC P-256 keys, because making an RSA key takes longer than most tests.
 */

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const day = 86_400_000;

/** A certificate authority of a test. */
export interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
  /** PEM of its certificate: what a machine that trusts it has in its store. */
  readonly pem: string;
}

/** What a TLS server needs. */
export interface ServerCertificate {
  /** PEM of the leaf, followed by the intermediates that the server is to send. */
  readonly cert: string;
  readonly key: string;
  /** Lower-case hex SHA-256 of the leaf's public key. */
  readonly spkiSha256: string;
}

export interface AuthorityOptions {
  readonly commonName?: string;
  readonly organization?: string;
  /** The authority above; none makes a root. */
  readonly issuer?: Authority;
  readonly notAfter?: Date;
}

export interface LeafOptions {
  /** DNS names and IPv4 addresses of the subjectAltName. */
  readonly names: readonly string[];
  readonly commonName?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Addresses of CRL distribution points and of authority information access. */
  readonly revocation?: { readonly crl?: readonly string[]; readonly ocsp?: string; readonly caIssuers?: string };
  /** Authorities whose certificates the server sends after its own; `[]` forgets an intermediate. */
  readonly send?: readonly Authority[];
}

let serial = 0;
const nextSerial = () => (++serial).toString(16).padStart(16, "1");

/** Makes a root, or an intermediate where `issuer` is given. */
export async function makeAuthority(options: AuthorityOptions = {}): Promise<Authority> {
  const { commonName = "Contoso Test CA", organization = "Contoso", issuer } = options;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const name = `CN=${commonName}, O=${organization}`;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: nextSerial(),
    subject: name,
    issuer: issuer?.certificate.subject ?? name,
    notBefore: new Date(Date.now() - day),
    notAfter: options.notAfter ?? new Date(Date.now() + 30 * day),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate, keys, pem: `${certificate.toString("pem")}\n` };
}

function revocationExtensions({ crl, ocsp, caIssuers }: NonNullable<LeafOptions["revocation"]>): x509.Extension[] {
  return [
    ...(crl ? [new x509.CRLDistributionPointsExtension([...crl])] : []),
    ...(ocsp || caIssuers
      ? [new x509.AuthorityInfoAccessExtension({ ...(ocsp && { ocsp }), ...(caIssuers && { caIssuers }) })]
      : []),
  ];
}

const isAddress = (name: string) => /^\d+\.\d+\.\d+\.\d+$/.test(name);

/** Makes a server's certificate, signed by `authority`. */
export async function issueCertificate(authority: Authority, options: LeafOptions): Promise<ServerCertificate> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: nextSerial(),
    subject: `CN=${options.commonName ?? options.names[0] ?? "test"}`,
    issuer: authority.certificate.subject,
    notBefore: options.notBefore ?? new Date(Date.now() - day),
    notAfter: options.notAfter ?? new Date(Date.now() + 10 * day),
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        options.names.map((value) => ({ type: isAddress(value) ? ("ip" as const) : ("dns" as const), value })),
      ),
      ...revocationExtensions(options.revocation ?? {}),
    ],
  });
  const leaf = certificate.toString("pem");
  const der = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  const base64 = Buffer.from(der)
    .toString("base64")
    .replace(/.{1,64}/g, "$&\n");
  return {
    cert: [leaf, ...(options.send ?? []).map((sent) => sent.pem)].join("\n"),
    key: `-----BEGIN PRIVATE KEY-----\n${base64}-----END PRIVATE KEY-----\n`,
    spkiSha256: createHash("sha256")
      .update(new X509Certificate(leaf).publicKey.export({ type: "spki", format: "der" }))
      .digest("hex"),
  };
}
