import type { Confidence, Severity } from "@lynceus/protocol/names";
import { type Layer, layers, type Pattern } from "../src/pattern.ts";

/* docs/patterns/<id>.md from the catalogue. Between the two marks the page is generated; below them it is written by hand. */

export const beginMark = "<!-- generated from packages/diagnosis: npm run docs -w @lynceus/diagnosis -->";
export const endMark = "<!-- end of the generated part; write below -->";

const severityWords: Record<Severity, string> = {
  prompting: "prompting: the next attempt cannot log in silently, or at all",
  "will-prompt": "will-prompt: prompts when Lync needs Exchange again, or the network changes",
  "at-risk": "at-risk: legal today, known to lead there",
};
const confidenceWords: Record<Confidence, string> = { high: "high", medium: "medium", low: "low" };
const layerWords: Record<Layer, string> = {
  location: "where the machine is",
  fleet: "the whole fleet",
  "name-resolution": "name resolution",
  "proxy-configuration": "proxy configuration",
  "proxy-reach": "reaching the proxy",
  "proxy-answer": "the proxy's answer",
  "network-path": "the network path",
  tls: "TLS",
  server: "the server",
  authentication: "authentication",
};

const referenceTitles: Record<string, string> = {
  "KB 2298541": "You're repeatedly prompted for Exchange credentials after you sign in to Lync",
  "KB 2332495": "Outlook cannot connect through a proxy that a PAC file sets",
  "KB 2409256": "A firewall blocks Skype for Business Online",
  "KB 2436962": "Lync has a problem connecting to Outlook: mail address and sign-in address differ",
  "KB 2461628": "A federated user is repeatedly prompted for credentials",
  "KB 2531068": "Lync asks whether to trust a server",
  "KB 2566790": "Autodiscover and DNS for Exchange",
  "KB 2630976": "Access denied in rich clients after the password expired",
  "KB 2769142": "Lync cannot connect: the proxy of LAN settings, and why a file script fails",
  "KB 2784787": "Outlook asks for credentials on a WAN link",
  "KB 2787614": "Conversation history and presence are unavailable: Exchange is not located",
  "KB 2833618": "EWS has not fully initialized: the trust question was declined",
  "KB 2847833": "A proxy breaks free/busy, out-of-office and mail tips: WinHTTP in both bitnesses",
  "KB 3123662": "HttpProxyControlFlags, and proxies that ask for a login",
  "KB 4051374": "Outlook asks for a password: saved credentials to remove",
  "RFC 4559": "SPNEGO-based Kerberos and NTLM HTTP authentication",
  "RFC 5280": "Certificate and CRL profile",
  "RFC 6960": "Online Certificate Status Protocol",
};

const list = (items: readonly string[]) => items.map((item) => `- ${item}`).join("\n");

/** The generated part of a pattern's page, marks included. */
export function generatedPart(pattern: Pattern): string {
  const { id, title, mechanism, evidence, severities, confidences, notThis, whoFixes, remedy, references } = pattern;
  const steps = remedy.map(
    ({ who, what, reference }, index) =>
      `${index + 1}. **${who}**: ${what}.${reference === null ? "" : ` (${reference})`}`,
  );
  return `${beginMark}

# ${title}

\`${id}\` · layer ${layers.indexOf(pattern.layer) + 1} of ${layers.length}: ${layerWords[pattern.layer]} · who fixes: ${whoFixes}

## What it means

${mechanism}

## What must be seen

${evidence}

A finding needs this in two cycles in a row or in three of the last five, and clears after three cycles without it.

Severity:

${list(severities.map((severity) => severityWords[severity]))}

Confidence that the evidence implies the pattern: ${confidences.map((confidence) => confidenceWords[confidence]).join(" or ")}.
The window itself cannot be seen.

## What it is not

${list(notThis)}

## What fixes it

${steps.join("\n")}

## References

${list(references.map((reference) => (referenceTitles[reference] ? `${reference}: ${referenceTitles[reference]}` : reference)))}

${endMark}`;
}

/** The page with its generated part renewed; what was written by hand stays. */
export function renewedPage(pattern: Pattern, existing: string | null): string {
  const end = existing?.indexOf(endMark) ?? -1;
  const byHand = existing !== null && end >= 0 ? existing.slice(end + endMark.length) : "\n";
  return `${generatedPart(pattern)}${byHand}`;
}

/** docs/patterns/README.md: every pattern, nearest to the client first within the catalogue's own order. */
export function indexPage(patterns: readonly Pattern[]): string {
  const rows = patterns.map(
    ({ id, title, severities, whoFixes }) =>
      `| [${title}](${id}.md) | \`${id}\` | ${severities.join(", ")} | ${whoFixes} |`,
  );
  return `${beginMark}

# Patterns

What Lynceus recognises on a machine. A pattern is a set of facts that, taken together, makes credential prompts
expected; a finding is a pattern on one machine, with its evidence. Severities are listed worst first.

| pattern | id | severity | who fixes |
| --- | --- | --- | --- |
${rows.join("\n")}

A machine shows one primary finding and at most three others. What explains why EWS is bad on the configured route comes
first, the fault nearest to the client before all; then the worse severity; then the order of this table.

## What cannot be seen

The agent never logs in. A server that refuses every credential answers 401 for ever, which looks healthy: an old saved
password, an expired account or a wrong address shows only in a helpdesk report or in the server's logs.

Where facts are missing the answer is "cannot tell", never "healthy": EWS was not probed on the configured route, the
control target fails too, the proxy asks for a login that signed-in users may pass silently, the script's server asks
for a login, an answer proves nothing.

${endMark}
`;
}
