import type { EffectiveSettings } from "@lynceus/protocol/facts";
import { parseProxyServer, proxiesFor } from "@lynceus/proxy-settings/proxy-server";
import { factEvidence, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { badEws, verdictIs } from "../view.ts";

/** Whether a ProxyServer value names a proxy for http and none that https would use (domain 4.1). */
function coversHttpOnly(settings: EffectiveSettings): boolean {
  const server = parseProxyServer(settings.server ?? "", settings.dialect);
  return proxiesFor(server, "http").length > 0 && proxiesFor(server, "https").length === 0;
}

/** Domain 5.1, 4.1: EWS is https and finds no proxy in the list, so it goes direct. */
export const pattern: Pattern = {
  id: "proxy-http-only",
  title: "Proxy set for http only; Exchange traffic ignores it",
  layer: "proxy-configuration",
  scope: "client",
  mechanism:
    "The proxy list names a proxy for http and none for https. Exchange is https, so its traffic goes direct while the browser seems to work.",
  evidence:
    "A manual proxy with an http= entry and no https=, socks= or plain entry is in force, no script or detection gives a result, and EWS goes direct.",
  severities: ["prompting", "at-risk"],
  confidences: ["high"],
  notThis: [
    "autodetect-off: there, no proxy is set at all.",
    "A list with a plain entry: it holds for every protocol.",
  ],
  whoFixes: "Helpdesk, by LAN settings or group policy",
  remedy: [
    {
      who: "Helpdesk",
      what: "LAN settings, Advanced: tick Use the same proxy server for all protocols, or add an https= entry",
      reference: "KB 2298541",
    },
    { who: "Helpdesk", what: "restart Internet Explorer and Lync", reference: "KB 2298541" },
  ],
  references: ["KB 2298541", "KB 2769142"],
  match(view) {
    const { settings } = view;
    const slot = view.ews?.configured ?? null;
    if (!settings || settings.server === null || !coversHttpOnly(settings)) return null;
    if (
      slot?.facts.route.kind !== "direct" ||
      ["pac", "auto-detect", "bypass", "implicit"].includes(slot.facts.route.by)
    )
      return null;
    const ews = badEws(view);
    const reached = view.ews?.state === "ok";
    if (!reached && !(ews && verdictIs(ews.configured, "tcp-timeout", "tcp-refused", "dns-fail"))) return null;
    const list = quote(settings.server);
    return makeMatch({
      severity: reached ? "at-risk" : "prompting",
      confidence: "high",
      explains: !reached,
      cause: `the proxy list ${list} covers http only`,
      sentence: reached
        ? `The proxy list (${list}) covers http only, so Exchange goes direct. It answers today; prompts are expected where direct is closed. Fix in LAN settings.`
        : `Credential prompts expected: the proxy list (${list}) covers http only, so Exchange goes direct and is not reached (${slot.verdict}). Fix on this machine, in LAN settings.`,
      evidence: [factEvidence("settings", `Proxy server: ${list}`, settings.server, null), probeEvidence(slot)],
    });
  },
};
