import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "./shell.ts";

/*
 * RSA certificates by openssl, since squid and kamailio read its files. Made at each run; nothing is kept.
 */

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** An authority that signs the servers' certificates. */
export function makeAuthority(directory: string, name: string, organisation: string): CertificateFiles {
  mkdirSync(directory, { recursive: true });
  const files = { cert: path.join(directory, `${name}.pem`), key: path.join(directory, `${name}.key`) };
  run(
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "30",
    "-subj",
    `/O=${organisation}/CN=${organisation} Root CA`,
    "-addext",
    "basicConstraints=critical,CA:TRUE",
    "-addext",
    "keyUsage=critical,keyCertSign,cRLSign",
    "-keyout",
    files.key,
    "-out",
    files.cert,
  );
  return files;
}

/** A server's certificate with these names; `days` below zero makes one that has expired. */
export function issue(
  directory: string,
  authority: CertificateFiles,
  label: string,
  names: readonly string[],
  days = 10,
): CertificateFiles {
  const files = { cert: path.join(directory, `${label}.pem`), key: path.join(directory, `${label}.key`) };
  const request = path.join(directory, `${label}.csr`);
  const extensions = path.join(directory, `${label}.ext`);
  run(
    "openssl",
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-subj",
    `/CN=${names[0]}`,
    "-keyout",
    files.key,
    "-out",
    request,
  );
  writeFileSync(
    extensions,
    `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n`,
  );
  const day = (offset: number) =>
    new Date(Date.now() + offset * 86_400_000).toISOString().replace(/[-:T]/g, "").slice(2, 14);
  const database = path.join(directory, `${label}.ca`);
  mkdirSync(database, { recursive: true });
  writeFileSync(path.join(database, "index.txt"), "");
  writeFileSync(
    path.join(database, "ca.cnf"),
    `[ca]\ndefault_ca=a\n[a]\ndatabase=${database}/index.txt\nnew_certs_dir=${database}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n`,
  );
  run(
    "openssl",
    "ca",
    "-batch",
    "-notext",
    "-config",
    path.join(database, "ca.cnf"),
    "-cert",
    authority.cert,
    "-keyfile",
    authority.key,
    "-in",
    request,
    "-out",
    files.cert,
    "-extfile",
    extensions,
    "-startdate",
    `${day(Math.min(days, 0) - 2)}Z`,
    "-enddate",
    `${day(days)}Z`,
  );
  return files;
}
