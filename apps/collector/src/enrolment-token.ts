/**
 * An enrolment token as an admin copies it: `lyn1.` and base64url JSON of the collector's address, the secret, and the
 * pin of its authority (null = the system's trust decides).
 */
export const formatEnrolmentToken = (token: { url: string; secret: string; pin: string | null }): string =>
  `lyn1.${Buffer.from(JSON.stringify({ u: token.url, s: token.secret, p: token.pin })).toString("base64url")}`;
