import { factEvidence, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { isBad, isOk } from "../verdicts.ts";
import { ofService } from "../view.ts";

/**
 * Domain 5.1 under 5.0 rule 6: the plain-http control is answered by a portal and EWS is bad on the direct route. Over
 * https a portal shows as a TLS error, so the control decides. A coaching page of the configured proxy is no portal:
 * the control must have been asked directly, and EWS must not be ok on the configured route.
 */
export const pattern: Pattern = {
  id: "captive-portal",
  title: "The machine sits behind a network login page",
  layer: "location",
  scope: "location",
  mechanism:
    "A hotel, guest or train network answers every request with its own login page. Exchange cannot be reached until somebody logs in there; Lync asks for credentials that cannot help.",
  evidence:
    "The plain-http control target is answered by a login page or a redirect to another host on the direct route, and EWS is bad on the direct route and not ok on the configured one.",
  severities: ["will-prompt"],
  confidences: ["high"],
  notThis: [
    "A proxy's block page: a redirect to a proxy vendor's host is proxy-blocks-exchange.",
    "A single sign-on redirect to a host that the policy declares.",
    "A coaching page of the configured proxy while EWS answers through it.",
  ],
  whoFixes: "The user, in a browser",
  remedy: [
    { who: "User", what: "open any http page in a browser and log in to the network", reference: null },
    { who: "User", what: "restart Lync when the network is open, or connect the VPN", reference: "KB 2298541" },
  ],
  references: ["RFC 8910", "RFC 6585 section 6 (status 511)"],
  match(view) {
    const { ews } = view;
    const control = ofService(view, "control").find(
      ({ target, direct }) => target.kind === "http" && direct?.verdict === "captive-portal",
    )?.direct;
    if (!control || !ews?.direct || !isBad(ews.direct.verdict, ews.target)) return null;
    if (!ews.configured || isOk(ews.configured.verdict, ews.target)) return null;
    const portal = control.facts.http?.location ?? null;
    return makeMatch({
      severity: "will-prompt",
      confidence: "high",
      explains: true,
      cause: portal
        ? `a login page at ${quote(portal)} answers for the network`
        : "a login page answers for the network",
      sentence:
        "Credential prompts expected: a network login page answers instead of the Internet. Nothing behind it can be judged. The user logs in to the network in a browser.",
      evidence: [
        probeEvidence(control, portal),
        probeEvidence(ews.direct),
        portal ? factEvidence("portal", "The portal's address", portal, control.at) : null,
      ],
    });
  },
};
