import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { type KeyRing, purposeKey } from "./key-ring.ts";

/*
 * Secrets at rest: AES-256-GCM, with the key's id beside the text and the place it belongs to as authenticated data. A
 * sealed text that is moved to another receiver's row does not open there.
 *
 *   s1.<key id>.<base64url of nonce (12), tag (16), text>
 */

const form = /^s1\.([0-9a-f]{8})\.([A-Za-z0-9_-]{38,})$/;
const nonceBytes = 12;
const tagBytes = 16;
const purpose = "sealed secret 1";

/** Why a sealed text cannot be opened; its message is safe to show. */
export class SealedSecretError extends Error {
  readonly reason: "unknown-key" | "damaged";
  constructor(reason: "unknown-key" | "damaged", message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Where a receiver's secret belongs. */
export const receiverSecretPlace = (receiverId: string, name: string): string => `receiver/${receiverId}/${name}`;

/** Encrypts a text for one place with the current key. */
export function sealSecret([current]: KeyRing, place: string, text: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", purposeKey(current, purpose), nonce).setAAD(Buffer.from(place));
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return `s1.${current.id}.${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url")}`;
}

/**
 * Opens a sealed text of one place, with whichever key of the ring sealed it.
 * @throws SealedSecretError when the key is not in the ring, or the text was changed or belongs elsewhere
 */
export function openSecret(ring: KeyRing, place: string, sealed: string): string {
  const [, keyId, encoded = ""] = form.exec(sealed) ?? [];
  if (keyId === undefined) throw new SealedSecretError("damaged", `the secret of ${place} is not in its sealed form`);
  const key = ring.find(({ id }) => id === keyId);
  if (key === undefined)
    throw new SealedSecretError(
      "unknown-key",
      `the secret of ${place} was sealed with key ${keyId}, which LYNCEUS_SECRET_KEY does not hold; add that key behind the current one, or set the secret again`,
    );
  const bytes = Buffer.from(encoded, "base64url");
  const decipher = createDecipheriv("aes-256-gcm", purposeKey(key, purpose), bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(Buffer.from(place))
    .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  try {
    return decipher.update(bytes.subarray(nonceBytes + tagBytes), undefined, "utf8") + decipher.final("utf8");
  } catch {
    throw new SealedSecretError("damaged", `the secret of ${place} was changed, or belongs to another receiver`);
  }
}

/** Whether a sealed text is of the current key; if not, seal it again. */
export const isSealedByCurrent = ([current]: KeyRing, sealed: string): boolean => form.exec(sealed)?.[1] === current.id;
