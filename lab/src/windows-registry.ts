import { createHash, X509Certificate } from "node:crypto";
import type { InternetSettings } from "./lab.ts";
import type { RegistryKeys } from "./wine.ts";

/** What Windows has after someone set these in its dialogs, as registry keys of the user who runs the programs. */

const internetSettings = "HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const text = (value: string) => Buffer.concat([u32(value.length), Buffer.from(value, "latin1")]);

/**
 * `DefaultConnectionSettings` for these values (domain 4.2).
 * @param counter of changes; a real one grows with each.
 */
export function settingsBlob(settings: InternetSettings, counter: number): Uint8Array {
  const { AutoDetect = 0, AutoConfigURL = "", ProxyEnable = 0, ProxyServer = "", ProxyOverride = "" } = settings;
  const flags = 1 | (ProxyEnable ? 2 : 0) | (AutoConfigURL ? 4 : 0) | (AutoDetect ? 8 : 0);
  const strings = [ProxyServer, ProxyOverride, AutoConfigURL].map(text);
  return Buffer.concat([u32(0x46), u32(counter), u32(flags), ...strings, Buffer.alloc(32)]);
}

/** The user's proxy settings; the separate values of earlier ones are removed. */
export const settingsKeys = (settings: InternetSettings, counter: number): RegistryKeys => ({
  [internetSettings]: {
    ProxyEnable: null,
    ProxyServer: null,
    ProxyOverride: null,
    AutoConfigURL: null,
    AutoDetect: null,
  },
  [`${internetSettings}\\Connections`]: { DefaultConnectionSettings: settingsBlob(settings, counter) },
});

/** Makes this Windows trust an authority, as a group policy rolls it out; the key's name is the certificate's SHA-1. */
export function trustedRootKeys(pem: string): RegistryKeys {
  const { raw } = new X509Certificate(pem);
  const thumbprint = createHash("sha1").update(raw).digest();
  const property = (id: number, data: Uint8Array) => Buffer.concat([u32(id), u32(1), u32(data.length), data]);
  // Its own hash (3), then the certificate (32).
  const blob = Buffer.concat([property(3, thumbprint), property(32, raw)]);
  const key = "HKEY_LOCAL_MACHINE\\Software\\Microsoft\\SystemCertificates\\Root\\Certificates";
  return { [`${key}\\${thumbprint.toString("hex").toUpperCase()}`]: { Blob: blob } };
}

/** The machine's DNS suffixes. */
export const searchListKeys = (...suffixes: string[]): RegistryKeys => ({
  "HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Services\\Tcpip\\Parameters": { SearchList: suffixes.join(",") },
});
