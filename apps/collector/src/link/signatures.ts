import { createPublicKey, type KeyObject, verify } from "node:crypto";

/** SPKI DER of an Ed25519 key: a fixed prefix and 32 bytes. */
const ed25519SpkiBytes = 44;

/** The key of an enrolment, or null when it is not exactly one Ed25519 key in SPKI DER. */
export function parsePublicKey(der: Uint8Array): KeyObject | null {
  if (der.length !== ed25519SpkiBytes) return null;
  try {
    const key = createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
    return key.asymmetricKeyType === "ed25519" ? key : null;
  } catch {
    return null;
  }
}

function signedBy(key: KeyObject, text: string, signature: string): boolean {
  try {
    return verify(null, Buffer.from(text, "utf8"), key, Buffer.from(signature, "base64"));
  } catch {
    return false;
  }
}

/** Whether `signature` (base64) is the key's over this enrolment (protocol `enrollSchema`). */
export const enrollSignedBy = (key: KeyObject, nonce: string, publicKey: string, signature: string): boolean =>
  signedBy(key, `lynceus-enroll-v1\n${nonce}\n${publicKey}`, signature);

/** Whether `signature` (base64) is the key's over this hello (protocol `helloSchema`). */
export const helloSignedBy = (
  key: KeyObject,
  nonce: string,
  machineId: string,
  epoch: string,
  signature: string,
): boolean => signedBy(key, `lynceus-hello-v1\n${nonce}\n${machineId}\n${epoch}`, signature);
