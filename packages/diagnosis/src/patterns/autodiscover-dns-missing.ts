import { hostOf, makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import { type Sighting, type View, verdictIs } from "../view.ts";

const doesNotExist = (sighting: Sighting | undefined) => {
  const slot = sighting?.configured;
  return slot?.verdict === "dns-fail" && ["NXDOMAIN", "NODATA"].includes(slot.facts.dns?.rcode ?? "");
};

/** The three ways to Autodiscover of the first mail domain of which none exists; all three must have been looked at. */
function missingDomain(view: View): { host: Sighting; srv: Sighting; apex: Sighting } | null {
  const hosts = view.sightings.filter(({ target }) => target.service === "autodiscover");
  for (const host of hosts.filter(doesNotExist)) {
    const domain = host.target.host.replace(/^autodiscover\./i, "").toLowerCase();
    const find = (service: string, name: string) =>
      view.sightings.find(({ target }) => target.service === service && target.host.toLowerCase() === name);
    const srv = find("autodiscover-srv", `_autodiscover._tcp.${domain}`);
    const apex = find("apex", domain);
    if (srv && apex?.configured && verdictIs(srv.configured, "name-missing") && apex.state !== "ok")
      return { host, srv, apex };
  }
  return null;
}

/**
 * Domain 5.2 under 5.0 rule 4: behind a proxy the client resolves no name, so `dns-fail` is a direct route's verdict.
 * Some other name must resolve, and outside Exchange must be published at all.
 */
export const pattern: Pattern = {
  id: "autodiscover-dns-missing",
  title: "Outlook works, Lync does not find Exchange",
  layer: "name-resolution",
  scope: "server",
  mechanism:
    "Lync finds Exchange by DNS alone: it ignores the service connection point in Active Directory that Outlook uses. Without a record for the mail domain it cannot locate EWS.",
  evidence:
    "For a mail domain, autodiscover.<domain> does not exist, the SRV record _autodiscover._tcp.<domain> does not exist, and <domain> itself is no Exchange; other names resolve.",
  severities: ["will-prompt"],
  confidences: ["high"],
  notThis: [
    "name-resolution-dead: there, no name resolves.",
    "A domain that publishes only the SRV record: Lync finds it.",
    "A machine outside, where the records need not exist while Exchange is not published either.",
  ],
  whoFixes: "DNS team",
  remedy: [
    {
      who: "DNS team",
      what: "add autodiscover.<domain> to the internal zone of every mail domain, pointing to Exchange",
      reference: "KB 2787614",
    },
    { who: "Exchange team", what: "see that the certificate names it", reference: "KB 2787614" },
  ],
  references: ["KB 2787614", "KB 2566790"],
  match(view) {
    const missing = missingDomain(view);
    const host = missing?.host.configured;
    if (!missing || !host) return null;
    if (view.location === "outside" && view.ews?.state !== "ok") return null;
    const resolves = view.sightings.some(
      ({ configured }) => configured?.facts.dns?.ok && configured.facts.dns.rcode !== "LITERAL",
    );
    if (!resolves) return null;
    const name = hostOf(host);
    return makeMatch({
      severity: "will-prompt",
      confidence: "high",
      explains: false,
      cause: `no Autodiscover record leads to Exchange: ${name} does not exist`,
      sentence: `Lync cannot find Exchange by DNS: ${name} and its SRV record do not exist, and the bare domain is no Exchange. Outlook may work, since it asks Active Directory. Fix in DNS, not on this machine.`,
      evidence: [
        probeEvidence(host, host.facts.dns?.rcode ?? null),
        probeEvidence(missing.srv.configured),
        probeEvidence(missing.apex.configured),
      ],
    });
  },
};
