import type { PatternId } from "@lynceus/protocol/names";

/** Pattern names for a narrow column head; everywhere else the pattern's own title is used. */
export const shortTitles: Record<PatternId, string> = {
  "captive-portal": "Captive portal",
  "name-resolution-dead": "Names do not resolve",
  "https-egress-blocked": "HTTPS blocked",
  "fleet-ews-down": "Exchange is down",
  "pac-unreachable": "Script unreachable",
  "pac-script-error": "Script error",
  "pac-file-url": "Script is file://",
  "wpad-missing": "WPAD missing",
  "autodetect-off": "Auto-detect off",
  "proxy-http-only": "Proxy for http only",
  "proxy-unreachable": "Proxy unreachable",
  "proxy-auth-required": "Proxy asks for login",
  "proxy-blocks-exchange": "Proxy refuses Exchange",
  "proxied-path-broken": "Broken through proxy",
  "ews-port-blocked": "EWS port blocked",
  "autodiscover-dns-missing": "Autodiscover missing",
  "tls-interception": "TLS interception",
  "exchange-cert-invalid": "Certificate invalid",
  "ews-service-down": "EWS service down",
  "ews-unexpected-answer": "Unexpected answer",
  "preauth-form-in-front": "Login form in front",
  "ews-basic-only": "EWS Basic only",
  "lync-web-services-unreachable": "Lync web unreachable",
  "sfb-ports-blocked": "SIP ports blocked",
  "ews-intermittent": "EWS intermittent",
  "ews-slow": "EWS slow",
};

export function shortTitle(pattern: string): string {
  return Object.hasOwn(shortTitles, pattern) ? shortTitles[pattern as PatternId] : pattern;
}
