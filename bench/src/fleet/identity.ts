import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";

/** What a simulated machine keeps between two runs. */
export interface Identity {
  readonly privateKey: KeyObject;
  /** SPKI DER, base64. */
  readonly publicKey: string;
  /** Of the connection at hand: without an outbox on the disk its numbers do not go on. */
  epoch: string;
  machineId: string | null;
}

export interface StoredIdentity {
  readonly key: string;
  readonly publicKey: string;
  /** Empty: not enrolled yet. */
  readonly machineId: string;
}

export function newIdentity(): Identity {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privateKey,
    publicKey: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
    epoch: randomUUID(),
    machineId: null,
  };
}

export const store = (identity: Identity): StoredIdentity => ({
  key: identity.privateKey.export({ type: "pkcs8", format: "der" }).toString("base64"),
  publicKey: identity.publicKey,
  machineId: identity.machineId ?? "",
});

export const restore = (stored: StoredIdentity): Identity => ({
  privateKey: createPrivateKey({ key: Buffer.from(stored.key, "base64"), format: "der", type: "pkcs8" }),
  publicKey: stored.publicKey,
  epoch: randomUUID(),
  machineId: stored.machineId || null,
});

export const signText = (identity: Identity, ...lines: string[]): string =>
  sign(null, Buffer.from(lines.join("\n")), identity.privateKey).toString("base64");
