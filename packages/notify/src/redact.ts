import { safeText } from "@lynceus/protocol/present";
import type { Receiver } from "@lynceus/protocol/receivers";
import type { Outcome } from "./outcome.ts";

/** Shown where a secret was. */
const removed = "…";

/** The forms in which a value can come back: as it is, in an address, in a Basic login, in JSON. */
const formsOf = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString("base64"),
  JSON.stringify(secret).slice(1, -1),
];

/** Pieces of a secret address by which it can be used: its path and its query. */
const piecesOf = (secret: string): string[] => {
  if (!/^https?:/i.test(secret) || !URL.canParse(secret)) return [];
  const { pathname, search, searchParams } = new URL(secret);
  return [pathname + search, pathname, ...searchParams.values()].filter((piece) => piece.length >= 8);
};

/** A text without the secrets, in any of their forms, and with what would not show made visible. */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .filter((secret) => secret !== "")
    .flatMap((secret) => [...formsOf(secret), ...piecesOf(secret)]);
  // The longest first, so that no tail of an address is left.
  const ordered = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return safeText(
    ordered.reduce((left, form) => left.replaceAll(form, removed), text),
    512,
  );
}

/** Logins as they go over the wire, which hold a secret in a form of their own. */
export function derivedSecrets({ type, settings }: Receiver, { password }: Readonly<Record<string, string>>): string[] {
  if ((type !== "alertmanager" && type !== "email") || settings.username === null || password === undefined) return [];
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return [base64(`${settings.username}:${password}`), base64(`\0${settings.username}\0${password}`)];
}

/** An outcome that may be stored, logged and shown. */
export const withoutSecrets = (outcome: Outcome, secrets: readonly string[]): Outcome =>
  outcome.outcome === "delivered"
    ? { ...outcome, detail: redactSecrets(outcome.detail, secrets) }
    : { ...outcome, reason: redactSecrets(outcome.reason, secrets) };
