import "reflect-metadata";
import { createHash, randomBytes, webcrypto, X509Certificate } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

/** What the server presents, and what an enrolment token pins. */
export interface TlsMaterial {
  /** PEM: the leaf, then its issuer. */
  readonly cert: string;
  readonly key: string;
  /** Hex SHA-256 of the authority's SPKI; null where agents verify by their system's trust instead. */
  readonly pin: string | null;
  /** When the leaf ends, in ms since 1970. */
  readonly notAfter: number;
}

export interface TlsOptions {
  /** Where a self-made authority lives, in `tls/`; its certificate alone is `ca.pem` beside it. */
  readonly dataDir: string;
  /** Paths of a given certificate and key (PEM); both or none. */
  readonly certFile: string | null;
  readonly keyFile: string | null;
  /** Names and addresses beside the host's own that the leaf is good for. */
  readonly names: readonly string[];
  readonly now: number;
}

const day = 86_400_000;
const authorityDays = 3650;
/** Below the 398 days that browsers accept. */
const leafDays = 397;
/** A leaf is made again by the same authority when less than this is left of it. */
const renewBelowDays = 30;
const signing = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/**
 * Certificate of the collector: the given one, or a leaf signed by an authority of its own that is made at the first
 * start. Only the authority is pinned, so the leaf may be renewed without touching an agent.
 * @throws Error with one clear line when a file is missing, broken or does not match.
 */
export async function loadTls(options: TlsOptions): Promise<TlsMaterial> {
  x509.cryptoProvider.set(webcrypto);
  if (options.certFile !== null || options.keyFile !== null) return givenCertificate(options);
  const directory = join(options.dataDir, "tls");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const authority = await loadAuthority(join(directory, "authority.pem"), options.now);
  // For clients that verify by it, such as Grafana; `authority.pem` holds its key as well and goes to nobody.
  await writeWhole(join(options.dataDir, "ca.pem"), `${authority.pem}\n`);
  return loadLeaf(join(directory, "server.pem"), authority, options);
}

/** Whether the leaf should be made again now. */
export const needsRenewal = (material: TlsMaterial, now: number): boolean =>
  material.notAfter - now < renewBelowDays * day;

/** Hex SHA-256 over the SubjectPublicKeyInfo of a certificate, as enrolment tokens carry it. */
export function spkiPin(certificate: X509Certificate): string {
  return createHash("sha256")
    .update(certificate.publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}

async function givenCertificate({ certFile, keyFile, now }: TlsOptions): Promise<TlsMaterial> {
  if (certFile === null || keyFile === null)
    throw new Error("--tls-cert and --tls-key go together: give both, or neither for a self-made certificate");
  const cert = await readPem(certFile, "--tls-cert", "CERTIFICATE");
  const key = await readPem(keyFile, "--tls-key", "PRIVATE KEY");
  const leaf = parseCertificate(cert, certFile);
  const notAfter = Date.parse(leaf.validTo);
  if (notAfter <= now) throw new Error(`--tls-cert "${certFile}" ended on ${leaf.validTo}; give a valid certificate`);
  return { cert, key, pin: null, notAfter };
}

async function readPem(path: string, option: string, label: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new Error(`${option} "${path}" cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  if (!text.includes(`${label}-----`)) throw new Error(`${option} "${path}" holds no PEM ${label.toLowerCase()}`);
  return text;
}

function parseCertificate(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error(`"${path}" holds no readable certificate`);
  }
}

interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly key: webcrypto.CryptoKey;
  readonly pem: string;
  readonly pin: string;
}

/** Key and certificate stand in one file, so that neither is ever there without the other. */
async function loadAuthority(path: string, now: number): Promise<Authority> {
  let text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw new Error(`authority "${path}" cannot be read: ${error.code}`);
  });
  if (text === null) {
    const keys = (await webcrypto.subtle.generateKey(signing, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serialNumber(),
      name: `CN=Lynceus collector authority ${randomBytes(4).toString("hex")}`,
      keys: keys,
      notBefore: new Date(now - day),
      notAfter: new Date(now + authorityDays * day),
      signingAlgorithm: signing,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    await createOnce(path, `${await exportKey(keys.privateKey)}\n${certificate.toString("pem")}\n`);
    // Another collector of the same directory may have been first: what is in the file counts.
    text = await readFile(path, "utf8");
  }
  try {
    const { key, cert } = splitPem(text);
    const certificate = new x509.X509Certificate(cert);
    const node = new X509Certificate(cert);
    return { certificate, key: await importKey(key), pem: cert, pin: spkiPin(node) };
  } catch {
    throw new Error(
      `"${path}" is not a key and a certificate; restore it from a backup, or remove it to make a new authority (then every agent must enrol again)`,
    );
  }
}

async function loadLeaf(path: string, authority: Authority, options: TlsOptions): Promise<TlsMaterial> {
  const names = leafNames(options.names);
  const present = await readFile(path, "utf8").catch(() => null);
  if (present !== null) {
    const material = usableLeaf(present, authority, names, options.now);
    if (material) return material;
  }
  const keys = (await webcrypto.subtle.generateKey(signing, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: "CN=Lynceus collector",
    issuer: authority.certificate.subject,
    notBefore: new Date(options.now - day),
    notAfter: new Date(Math.min(options.now + leafDays * day, authority.certificate.notAfter.getTime())),
    signingAlgorithm: signing,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((name) => (isIP(name) ? { type: "ip", value: name } : { type: "dns", value: name })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
    ],
  });
  const text = `${await exportKey(keys.privateKey)}\n${leaf.toString("pem")}\n`;
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, path);
  return materialOf(text, authority);
}

/** The leaf on disk, or null when it is broken, another authority's, nearly over, or lacks a name. */
function usableLeaf(text: string, authority: Authority, names: readonly string[], now: number): TlsMaterial | null {
  try {
    const material = materialOf(text, authority);
    const leaf = new X509Certificate(material.cert);
    const issued = leaf.verify(new X509Certificate(authority.pem).publicKey);
    const covers = names.every((name) => (isIP(name) ? leaf.checkIP(name) : leaf.checkHost(name)) !== undefined);
    return issued && covers && !needsRenewal(material, now) ? material : null;
  } catch {
    return null;
  }
}

function materialOf(text: string, authority: Authority): TlsMaterial {
  const { key, cert } = splitPem(text);
  const notAfter = Date.parse(new X509Certificate(cert).validTo);
  return { cert: `${cert}\n${authority.pem}\n`, key, pin: authority.pin, notAfter };
}

const leafNames = (extra: readonly string[]): string[] => [
  ...new Set(["localhost", "127.0.0.1", "::1", hostname().toLowerCase(), ...extra.map((name) => name.toLowerCase())]),
];

const serialNumber = () => `00${randomBytes(16).toString("hex")}`;

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

const importKey = (pem: string) =>
  webcrypto.subtle.importKey("pkcs8", x509.PemConverter.decode(pem)[0]!, signing, false, ["sign"]);

function splitPem(text: string): { key: string; cert: string } {
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/.exec(text)?.[0];
  const cert = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text)?.[0];
  if (!key || !cert) throw new Error("no key or no certificate");
  return { key, cert };
}

/** A file that is there whole or not at all, whoever reads it meanwhile. */
async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(temporary, text, { mode: 0o644, flag: "wx" });
  await rename(temporary, path);
}

/** Creates the file whole and 0600, or leaves the one that is there. */
async function createOnce(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(temporary, text, { mode: 0o600, flag: "wx" });
  try {
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}
