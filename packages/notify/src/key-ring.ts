import { createHash, hkdfSync, randomBytes } from "node:crypto";

/*
 * The installation's secret keys. The first encrypts and signs; all of them decrypt and verify, so that a key is changed by
 * putting a new one in front, sealing again what is stored, and dropping the old one later.
 */

export interface SecretKey {
  /** Eight hex digits of the key's SHA-256: enough to tell keys apart, and nothing of the key. */
  readonly id: string;
  readonly bytes: Buffer;
}

/** At least one key, the current one first. */
export type KeyRing = readonly [SecretKey, ...SecretKey[]];

const keyBytes = 32;

/** A new key, as `LYNCEUS_SECRET_KEY` takes it. */
export const newSecretKey = (): string => randomBytes(keyBytes).toString("base64url");

function parseKey(text: string, place: number): SecretKey {
  const hex = /^[0-9a-f]{64}$/i.test(text);
  const base64 = /^[A-Za-z0-9+/_-]{43}=?$/.test(text);
  const bytes = Buffer.from(hex || base64 ? text : "", hex ? "hex" : "base64url");
  if (bytes.length !== keyBytes)
    throw new Error(
      `key ${place} of LYNCEUS_SECRET_KEY has ${text.length} characters and is not ${keyBytes} bytes in base64 or hex; use e.g. the output of: openssl rand -base64 32`,
    );
  return { id: createHash("sha256").update(bytes).digest("hex").slice(0, 8), bytes };
}

/**
 * Reads `LYNCEUS_SECRET_KEY`: one key, or several with commas or white space between, the current one first.
 * @throws Error naming the key's place and the rule, never its text
 */
export function parseKeyRing(text: string): KeyRing {
  const [first, ...older] = text
    .split(/[\s,]+/)
    .filter((part) => part !== "")
    .map((part, index) => parseKey(part, index + 1));
  if (first === undefined)
    throw new Error(
      "LYNCEUS_SECRET_KEY is empty; use e.g. the output of: openssl rand -base64 32, the same for collector and dashboard",
    );
  return [first, ...older];
}

/** A key for one purpose alone, so that what is made for one is of no use for another (RFC 5869). */
export const purposeKey = ({ bytes }: SecretKey, purpose: string): Buffer =>
  Buffer.from(hkdfSync("sha256", bytes, "", `lynceus ${purpose}`, keyBytes));
