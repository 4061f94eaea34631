import { createHash, X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import WebSocket from "ws";
import type { Collector } from "./session.ts";

const spkiOf = (der: Buffer) =>
  createHash("sha256")
    .update(new X509Certificate(der).publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");

/**
 * Reads an enrolment token (`lyn1.…`) and gives what opens a connection. With a pin, the chain must end in the
 * authority that the token names and be signed by it.
 * @throws {Error} that says what a token looks like.
 */
export function collectorOf(token: string): Collector {
  let body: { u?: unknown; s?: unknown; p?: unknown };
  try {
    body = JSON.parse(Buffer.from(token.replace(/^lyn1\./, ""), "base64url").toString("utf8"));
  } catch {
    body = {};
  }
  const { u: url, s: secret, p: pin } = body;
  if (typeof url !== "string" || typeof secret !== "string") {
    throw new Error(
      "LYNCEUS_TOKEN is no enrolment token; copy one from the dashboard's Enrolment page, it begins with lyn1.",
    );
  }
  const open = (address: string) => {
    const socket = new WebSocket(`${address}/agent/v1`, {
      perMessageDeflate: false,
      rejectUnauthorized: typeof pin !== "string",
      handshakeTimeout: 30_000,
    });
    if (typeof pin === "string") {
      socket.once("upgrade", (response) => {
        const leaf = (response.socket as TLSSocket).getPeerCertificate(true);
        const authority = leaf.issuerCertificate;
        const pinned = authority && spkiOf(authority.raw) === pin;
        const signed = pinned && new X509Certificate(leaf.raw).verify(new X509Certificate(authority.raw).publicKey);
        if (!signed) socket.terminate();
      });
    }
    return socket;
  };
  return { url, secret, open };
}
