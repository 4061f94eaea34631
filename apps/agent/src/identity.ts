import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { join } from "node:path";
import { createFile } from "./atomic-file.ts";
import { readStored } from "./stored-file.ts";

/** The machine's Ed25519 key. Its private part never leaves the data directory. */
export interface MachineKey {
  /** SPKI DER, base64, as `enroll` carries it. */
  readonly publicKey: string;
  /** Base64 signature over the UTF-8 bytes of the text. */
  sign(text: string): string;
}

/** How the key file is kept from those who read the disk but are not this machine. */
export interface KeyProtection {
  protect(secret: Uint8Array): Uint8Array;
  /** @throws Error when it was protected elsewhere. */
  unprotect(bytes: Uint8Array): Uint8Array;
}

/** What begins a key file that is protected; without it the file is PEM. */
const protectedMark = "lynceus-protected-1 ";

function machineKey(key: KeyObject): MachineKey {
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" }).toString("base64");
  return { publicKey, sign: (text) => sign(null, Buffer.from(text, "utf8"), key).toString("base64") };
}

/** A key that lives in memory only: for simulated machines. */
export const ephemeralKey = (): MachineKey => machineKey(generateKeyPairSync("ed25519").privateKey);

const keyFile = (dataDir: string) => join(dataDir, "machine.key");
const machineFile = (dataDir: string) => join(dataDir, "machine.json");

/**
 * The key of this data directory, made where there is none. An existing key is never overwritten: a key that cannot be
 * read is an error, because a new one would be another machine.
 */
export function ensureKey(dataDir: string, protection: KeyProtection | null = null): MachineKey {
  const existing = loadKey(dataDir, protection);
  if (existing) return existing;
  const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const kept = protection
    ? `${protectedMark}${Buffer.from(protection.protect(Buffer.from(pem))).toString("base64")}\n`
    : pem;
  createFile(keyFile(dataDir), kept);
  // Read back, so that of two processes that raced both use the one key that won.
  const key = loadKey(dataDir, protection);
  if (!key) throw new Error(`the key file ${keyFile(dataDir)} vanished while it was made`);
  return key;
}

/** The key of this data directory; null where there is none. @throws Error when it is there but no key. */
export function loadKey(dataDir: string, protection: KeyProtection | null = null): MachineKey | null {
  const path = keyFile(dataDir);
  const kept = readStored(path, `the key file ${path}`);
  if (kept === null) return null;
  let pem = kept;
  if (kept.startsWith(protectedMark)) {
    try {
      if (!protection) throw new Error("this process has not the means");
      pem = Buffer.from(protection.unprotect(Buffer.from(kept.slice(protectedMark.length), "base64"))).toString("utf8");
    } catch (error) {
      throw new Error(
        `the key file ${path} was protected by another machine or user (${(error as Error).message}); remove the data directory and enrol this machine again`,
      );
    }
  }
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "ed25519") return machineKey(key);
  } catch {
    // Said below, in words.
  }
  throw new Error(`the key file ${path} holds no Ed25519 key; restore it, or remove it and enrol this machine again`);
}

/** The id that the collector gave at enrolment. */
export function saveMachineId(dataDir: string, machineId: string): void {
  if (!createFile(machineFile(dataDir), `${JSON.stringify({ machineId })}\n`))
    throw new Error(`this data directory is enrolled already: ${machineFile(dataDir)} exists`);
}

/** Null where this directory is not enrolled. @throws Error when the file is there but says no id. */
export function loadMachineId(dataDir: string): string | null {
  const path = machineFile(dataDir);
  const text = readStored(path);
  if (text === null) return null;
  try {
    const { machineId } = JSON.parse(text) as { machineId?: unknown };
    if (typeof machineId === "string" && /^[0-9a-f-]{36}$/i.test(machineId)) return machineId;
  } catch {
    // Said below, in words.
  }
  throw new Error(`${path} holds no machine id; restore it, or remove it and enrol this machine again`);
}
