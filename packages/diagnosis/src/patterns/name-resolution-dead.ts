import type { ProbeSlot } from "@lynceus/protocol/state";
import { makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import { ofService } from "../view.ts";

/** Answers of a resolver that works: the name is known, or known not to exist. */
const working = new Set(["NOERROR", "NXDOMAIN", "NODATA"]);

/**
 * Domain 5.4b under 5.0 rule 4: needs a direct configured route, because behind a proxy the client resolves nothing.
 * Every name asked must fail, EWS and a control among them, and none by the resolver's own "does not exist".
 */
export const pattern: Pattern = {
  id: "name-resolution-dead",
  title: "This machine cannot resolve names",
  layer: "name-resolution",
  scope: "location",
  mechanism:
    "No name resolves, so nothing can be located: Lync signs out or shows Exchange as unreachable. Without a network there is no prompt.",
  evidence:
    "The names of EWS and of the control target, and every other name asked, fail with a timeout or a server failure; none with the answer that the name does not exist.",
  severities: ["at-risk"],
  confidences: ["high"],
  notThis: [
    "autodiscover-dns-missing: there, other names resolve.",
    "A single name that does not exist (NXDOMAIN): the resolver works.",
    "A machine behind an explicit proxy: the proxy resolves, the client does not.",
  ],
  whoFixes: "Network team, or the user who reconnects",
  remedy: [
    { who: "User", what: "reconnect to the network or the VPN", reference: null },
    {
      who: "Network team",
      what: "check the resolver addresses that DHCP hands out, and that they answer",
      reference: null,
    },
  ],
  references: ["RFC 1035"],
  match(view) {
    const { ews } = view;
    if (ews?.configured?.facts.route.kind !== "direct") return null;
    const controls = ofService(view, "control");
    const asked = view.sightings
      .flatMap(({ configured, direct }) => [configured, direct])
      .filter((slot) => slot?.facts.dns && slot.facts.dns.rcode !== "LITERAL");
    const dead = (slot: ProbeSlot | null | undefined) =>
      slot?.facts.dns?.ok === false && !working.has(slot.facts.dns.rcode);
    const control = controls.find(({ configured }) => dead(configured))?.configured;
    if (!dead(ews.configured) || !control || new Set(asked.map((slot) => slot?.facts.dns?.name)).size < 2) return null;
    if (!asked.every(dead)) return null;
    const rcode = ews.configured.facts.dns?.rcode ?? "no answer";
    return makeMatch({
      severity: "at-risk",
      confidence: "high",
      explains: true,
      cause: `no name resolves (${rcode})`,
      sentence: `No name resolves on this machine (${rcode}), the control target's neither: without a network there is no prompt. The network team or a reconnect fixes it.`,
      evidence: [probeEvidence(ews.configured, rcode), probeEvidence(control, control.facts.dns?.rcode ?? null)],
    });
  },
};
