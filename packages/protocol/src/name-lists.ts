/*
 * The names that the wire, the API and the filter language share, as bare lists: what needs no schema, such as a page or a
 * plug-in, then carries none. They are API: add, never rename.
 */

/** Verdicts of one probe (domain 3.4). They are API: add, never rename. */
export const verdicts = [
  "dns-fail",
  "proxy-unreachable",
  "proxy-auth-required",
  "proxy-blocked",
  "proxy-upstream-fail",
  "proxy-error",
  "tcp-refused",
  "tcp-timeout",
  "tcp-reset",
  "tls-name",
  "tls-untrusted",
  "tls-expired",
  "tls-protocol",
  "tls-reset",
  "tls-other",
  "http-timeout",
  "captive-portal",
  "exchange-online",
  "exchange-onprem",
  "exchange-basic-only",
  "exchange-health-ok",
  "exchange-down",
  "sfb-web",
  "iis-windows-auth",
  "other-basic-auth",
  "preauth-form",
  "forbidden",
  "not-found",
  "server-error",
  "unexpected-200",
  "unknown-answer",
  // Targets that speak no Exchange: a port that accepts, a name that resolves, a control page that is right.
  "port-open",
  "name-found",
  "name-missing",
  "control-ok",
] as const;

/** Patterns (domain 5). They are API: add, never rename. */
export const patternIds = [
  "captive-portal",
  "name-resolution-dead",
  "https-egress-blocked",
  "fleet-ews-down",
  "fleet-site-outage",
  "fleet-shared-pac",
  "fleet-shared-proxy",
  "fleet-ews-degraded",
  "fleet-config-wave",
  "fleet-cert-change",
  "fleet-dns-split",
  "fleet-blind",
  "pac-unreachable",
  "pac-script-error",
  "pac-file-url",
  "pac-case-mismatch",
  "wpad-missing",
  "autodetect-off",
  "proxy-http-only",
  "proxy-unreachable",
  "proxy-auth-required",
  "proxy-blocks-exchange",
  "proxied-path-broken",
  "proxy-strips-auth",
  "ews-port-blocked",
  "autodiscover-dns-missing",
  "apex-site-answers-autodiscover",
  "autodiscover-redirect-loop",
  "tls-interception",
  "exchange-cert-invalid",
  "revocation-blocked",
  "ews-service-down",
  "ews-unexpected-answer",
  "preauth-form-in-front",
  "ews-basic-only",
  "exchange-through-proxy",
  "bypass-list-partial",
  "winhttp-proxy-wrong",
  "clock-skew",
  "ntlm-policy-blocks",
  "mixed-modern-auth",
  "exo-ews-retired",
  "trust-prompt-domain-mismatch",
  "lync-web-services-unreachable",
  "sfb-ports-blocked",
  "ews-intermittent",
  "ews-slow",
  "wpad-foreign",
  "proxy-baseline-drift",
  "proxy-settings-shadowed",
  "stale-credentials-suspected",
] as const;

export const severities = ["prompting", "will-prompt", "at-risk"] as const;

export const confidences = ["high", "medium", "low"] as const;

export const machineStatuses = ["healthy", "failing", "stale", "cannot-tell", "signed-off"] as const;

export const locations = ["inside", "vpn", "outside", "unknown"] as const;

export const services = [
  "ews",
  "autodiscover",
  "apex",
  "mapi",
  "oab",
  "exchange-health",
  "lync-discover",
  "lync-web",
  "lync-rgs",
  "lync-abs",
  "sip",
  "sip-plain",
  "autodiscover-srv",
  "sip-srv",
  "control",
  "revocation",
] as const;

/**
 * What machines may share, most specific first: of explanations that hold for the same machines the first is named.
 * A change that rolled out says more than the value it set, a proxy more than the site it stands in.
 */
export const attributionKeys = [
  /** Configuration that many machines changed to within half an hour (`settingsWaves`). */
  "settings-wave",
  /** SHA-256 of the proxy script's text. */
  "pac-hash",
  "pac-url",
  /** `host:port` of the configured route of EWS. */
  "proxy",
  /** `x-feserver` of EWS. */
  "back-end",
  /** Address that EWS was connected to; unknown behind a proxy. */
  "address",
  "tls-spki",
  "tls-issuer",
  "resolver",
  /** Network of the machine's private address: /24, or /64. */
  "subnet",
  "site",
  "policy-version",
  "agent-version",
  "os-build",
  /** `direct` or `proxy`. */
  "route-kind",
] as const;
