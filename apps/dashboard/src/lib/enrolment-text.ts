/**
 * What an installer is given: where the collector is, the token's secret, and the pin of the collector's authority.
 * `lyn1.` and base64url of `{u, s, p}`; `p` is null when a public or company authority vouches for the collector.
 */
export function enrolmentText(token: { url: string; secret: string; pin: string | null }): string {
  const body = JSON.stringify({ u: token.url, s: token.secret, p: token.pin });
  return `lyn1.${Buffer.from(body, "utf8").toString("base64url")}`;
}

/** The command that enrols a Linux machine and starts its agent. */
export function enrolCommand(text: string): string {
  return `lynceus-agent enroll --token ${text} && lynceus-agent run`;
}
