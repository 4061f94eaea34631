/*
 * An enrolment token as an admin copies it: `lyn1.` and base64url JSON `{u, s, p}`. It carries the collector's address,
 * the secret, and the pin of the collector's own certificate authority, so that a self-made certificate is safe from
 * the first connection on.
 */
export interface EnrolmentToken {
  /** `wss://host:port` of the collector. */
  readonly url: string;
  readonly secret: string;
  /** Lower-case hex SHA-256 of the authority's SubjectPublicKeyInfo; null = the system's trust decides. */
  readonly pin: string | null;
}

const prefix = "lyn1.";

export const formatEnrolmentToken = (token: EnrolmentToken): string =>
  prefix + Buffer.from(JSON.stringify({ u: token.url, s: token.secret, p: token.pin })).toString("base64url");

/** @throws Error with one line that never repeats the secret. */
export function parseEnrolmentToken(text: string): EnrolmentToken {
  const trimmed = text.trim();
  if (!trimmed.startsWith(prefix) || trimmed.length > 4096)
    throw new Error(
      `--token does not look like an enrolment token; copy it whole from the dashboard, it begins with "${prefix}"`,
    );
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(trimmed.slice(prefix.length), "base64url").toString("utf8"));
  } catch {
    content = null;
  }
  const broken = () => new Error("--token is damaged or cut short; copy it whole from the dashboard");
  if (typeof content !== "object" || content === null) throw broken();
  const { u, s, p } = content as Record<string, unknown>;
  if (typeof u !== "string" || typeof s !== "string" || s === "" || s.length > 512) throw broken();
  if (p !== null && (typeof p !== "string" || !/^[0-9a-f]{64}$/.test(p))) throw broken();
  return { url: u, secret: s, pin: p };
}
