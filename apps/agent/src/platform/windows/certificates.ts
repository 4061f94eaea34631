import tls from "node:tls";
import { type Koffi, loadKoffi } from "../koffi.ts";

/** Stores of the account we run as, which hold the machine's, policy's and the enterprise's too. */
const stores = ["ROOT", "CA"];
/** What an administrator forbade, wherever else it stands. */
const forbidden = "Disallowed";
const maxCertificates = 4096;
const maxBytes = 64 * 1024;

export const pemOf = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${(
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? []
  ).join("\n")}\n-----END CERTIFICATE-----`;

function readStores(koffi: Koffi): string[] {
  const crypt32 = koffi.load("crypt32.dll");
  const context = koffi.struct({ dwCertEncodingType: "uint32", pbCertEncoded: "uintptr", cbCertEncoded: "uint32" });
  const open = crypt32.func("__stdcall", "CertOpenSystemStoreW", "uintptr", ["uintptr", "str16"]);
  const next = crypt32.func("__stdcall", "CertEnumCertificatesInStore", "void *", ["uintptr", "void *"]);
  const close = crypt32.func("__stdcall", "CertCloseStore", "int32", ["uintptr", "uint32"]);
  const read = (name: string): Set<string> => {
    const found = new Set<string>();
    const store = open(0, name);
    if (BigInt(store) === 0n) return found;
    // Each call frees what the one before gave.
    let certificate: unknown = null;
    for (let count = 0; count < maxCertificates; count++) {
      certificate = next(store, certificate);
      if (!certificate) break;
      const { pbCertEncoded, cbCertEncoded } = koffi.decode(certificate, context);
      if (cbCertEncoded > 0 && cbCertEncoded <= maxBytes)
        found.add(pemOf(new Uint8Array(koffi.view(pbCertEncoded, cbCertEncoded))));
    }
    close(store, 0);
    return found;
  };
  const not = read(forbidden);
  return [...new Set(stores.flatMap((name) => [...read(name)]))].filter((pem) => !not.has(pem));
}

/**
 * The roots and intermediates that this Windows trusts, as PEM (domain 5.0 rule 2), read anew each time; by Node's own
 * reading, which it does once, where the system's calls cannot be used. Never throws.
 */
export function windowsCertificates(): readonly string[] {
  try {
    return readStores(loadKoffi());
  } catch {
    // Node 22.15 and later.
    return (tls as { getCACertificates?: (type: "system") => string[] }).getCACertificates?.("system") ?? [];
  }
}
