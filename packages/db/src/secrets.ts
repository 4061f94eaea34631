import { createHash, randomBytes } from "node:crypto";

/** A secret to show once, of 192 bits. Only its hash is stored. */
export const newSecret = (): string => randomBytes(24).toString("base64url");

/** SHA-256 in hex: enough for a secret that is random and long. */
export const hashSecret = (secret: string): string => createHash("sha256").update(secret).digest("hex");
