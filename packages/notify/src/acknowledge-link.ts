import { createHmac, timingSafeEqual } from "node:crypto";
import * as z from "zod";
import { type KeyRing, purposeKey, type SecretKey } from "./key-ring.ts";

/*
 * The link by which a person who was paged acknowledges without signing in: `/i/1182?k=<token>`. The token says who, which
 * incident and until when, signed by the installation. Opening the link changes nothing (mail scanners open links); the
 * page's button posts.
 *
 *   <base64url of JSON>.<base64url of HMAC-SHA256>
 */

const claimsSchema = z.strictObject({
  /** Incident number. */
  i: z.int().positive(),
  /** Person's id. */
  p: z.string().min(1).max(128),
  /** End, seconds since 1970. */
  e: z.int().positive(),
});

export interface AcknowledgeClaim {
  readonly incident: number;
  readonly person: string;
  /** Milliseconds since 1970; whole seconds. */
  readonly expiresAt: number;
}

const maxTokenChars = 512;

const sign = (key: SecretKey, payload: string): Buffer =>
  createHmac("sha256", purposeKey(key, "acknowledge link 1")).update(payload).digest();

/** The token of a link. */
export function makeAcknowledgeToken([current]: KeyRing, { incident, person, expiresAt }: AcknowledgeClaim): string {
  const claims = claimsSchema.parse({ i: incident, p: person, e: Math.floor(expiresAt / 1000) });
  const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
  return `${payload}.${sign(current, payload).toString("base64url")}`;
}

/**
 * The link of a notice.
 * @param dashboard address of the dashboard, such as `https://lynceus.contoso.com`
 */
export const acknowledgeUrl = (dashboard: string, ring: KeyRing, claim: AcknowledgeClaim): string =>
  `${dashboard.replace(/\/+$/, "")}/i/${claim.incident}?k=${makeAcknowledgeToken(ring, claim)}`;

export type VerifiedAcknowledge =
  | { readonly ok: true; readonly claim: AcknowledgeClaim }
  /** `wrong`: no token of ours, or not as it was made. `other-incident`: of another page. */
  | { readonly ok: false; readonly reason: "wrong" | "expired" | "other-incident" };

function parseClaim(payload: string): AcknowledgeClaim | null {
  try {
    const { i, p, e } = claimsSchema.parse(JSON.parse(Buffer.from(payload, "base64url").toString("utf8")));
    return { incident: i, person: p, expiresAt: e * 1000 };
  } catch {
    return null;
  }
}

/** Judges the token of the page of `incident` at the instant `now`. Nothing of it is believed before its signature holds. */
export function verifyAcknowledgeToken(
  ring: KeyRing,
  token: string,
  { incident, now }: { readonly incident: number; readonly now: number },
): VerifiedAcknowledge {
  const wrong = { ok: false, reason: "wrong" } as const;
  const [payload = "", signature = "", ...rest] = token.length > maxTokenChars ? [] : token.split(".");
  const given = Buffer.from(signature, "base64url");
  // Written otherwise, the same bytes would be another token of the same signature.
  if (rest.length > 0 || payload === "" || given.toString("base64url") !== signature) return wrong;
  const signed = ring.some((key) => {
    const expected = sign(key, payload);
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
  const claim = signed ? parseClaim(payload) : null;
  if (claim === null) return wrong;
  if (now >= claim.expiresAt) return { ok: false, reason: "expired" };
  return claim.incident === incident ? { ok: true, claim } : { ok: false, reason: "other-incident" };
}
