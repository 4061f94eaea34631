import type { PatternId } from "@lynceus/protocol/names";
import type { Pattern } from "./pattern.ts";
import { pattern as apexSiteAnswersAutodiscover } from "./patterns/apex-site-answers-autodiscover.ts";
import { pattern as autodetectOff } from "./patterns/autodetect-off.ts";
import { pattern as autodiscoverDnsMissing } from "./patterns/autodiscover-dns-missing.ts";
import { pattern as autodiscoverRedirectLoop } from "./patterns/autodiscover-redirect-loop.ts";
import { pattern as bypassListPartial } from "./patterns/bypass-list-partial.ts";
import { pattern as captivePortal } from "./patterns/captive-portal.ts";
import { pattern as clockSkew } from "./patterns/clock-skew.ts";
import { pattern as ewsBasicOnly } from "./patterns/ews-basic-only.ts";
import { pattern as ewsIntermittent } from "./patterns/ews-intermittent.ts";
import { pattern as ewsPortBlocked } from "./patterns/ews-port-blocked.ts";
import { pattern as ewsServiceDown } from "./patterns/ews-service-down.ts";
import { pattern as ewsSlow } from "./patterns/ews-slow.ts";
import { pattern as ewsUnexpectedAnswer } from "./patterns/ews-unexpected-answer.ts";
import { pattern as exchangeCertInvalid } from "./patterns/exchange-cert-invalid.ts";
import { pattern as exchangeThroughProxy } from "./patterns/exchange-through-proxy.ts";
import { pattern as exoEwsRetired } from "./patterns/exo-ews-retired.ts";
import { pattern as fleetBlind } from "./patterns/fleet-blind.ts";
import { pattern as fleetCertChange } from "./patterns/fleet-cert-change.ts";
import { pattern as fleetConfigWave } from "./patterns/fleet-config-wave.ts";
import { pattern as fleetDnsSplit } from "./patterns/fleet-dns-split.ts";
import { pattern as fleetEwsDegraded } from "./patterns/fleet-ews-degraded.ts";
import { pattern as fleetEwsDown } from "./patterns/fleet-ews-down.ts";
import { pattern as fleetSharedPac } from "./patterns/fleet-shared-pac.ts";
import { pattern as fleetSharedProxy } from "./patterns/fleet-shared-proxy.ts";
import { pattern as fleetSiteOutage } from "./patterns/fleet-site-outage.ts";
import { pattern as httpsEgressBlocked } from "./patterns/https-egress-blocked.ts";
import { pattern as lyncWebServicesUnreachable } from "./patterns/lync-web-services-unreachable.ts";
import { pattern as mixedModernAuth } from "./patterns/mixed-modern-auth.ts";
import { pattern as nameResolutionDead } from "./patterns/name-resolution-dead.ts";
import { pattern as ntlmPolicyBlocks } from "./patterns/ntlm-policy-blocks.ts";
import { pattern as pacCaseMismatch } from "./patterns/pac-case-mismatch.ts";
import { pattern as pacFileUrl } from "./patterns/pac-file-url.ts";
import { pattern as pacScriptError } from "./patterns/pac-script-error.ts";
import { pattern as pacUnreachable } from "./patterns/pac-unreachable.ts";
import { pattern as preauthFormInFront } from "./patterns/preauth-form-in-front.ts";
import { pattern as proxiedPathBroken } from "./patterns/proxied-path-broken.ts";
import { pattern as proxyAuthRequired } from "./patterns/proxy-auth-required.ts";
import { pattern as proxyBaselineDrift } from "./patterns/proxy-baseline-drift.ts";
import { pattern as proxyBlocksExchange } from "./patterns/proxy-blocks-exchange.ts";
import { pattern as proxyHttpOnly } from "./patterns/proxy-http-only.ts";
import { pattern as proxySettingsShadowed } from "./patterns/proxy-settings-shadowed.ts";
import { pattern as proxyStripsAuth } from "./patterns/proxy-strips-auth.ts";
import { pattern as proxyUnreachable } from "./patterns/proxy-unreachable.ts";
import { pattern as revocationBlocked } from "./patterns/revocation-blocked.ts";
import { pattern as sfbPortsBlocked } from "./patterns/sfb-ports-blocked.ts";
import { pattern as staleCredentialsSuspected } from "./patterns/stale-credentials-suspected.ts";
import { pattern as tlsInterception } from "./patterns/tls-interception.ts";
import { pattern as trustPromptDomainMismatch } from "./patterns/trust-prompt-domain-mismatch.ts";
import { pattern as winhttpProxyWrong } from "./patterns/winhttp-proxy-wrong.ts";
import { pattern as wpadForeign } from "./patterns/wpad-foreign.ts";
import { pattern as wpadMissing } from "./patterns/wpad-missing.ts";

/** Every pattern, in the order that ends the precedence (5.0 rule 14c): that of `patternIds`. */
export const catalogue: readonly Pattern[] = [
  captivePortal,
  nameResolutionDead,
  httpsEgressBlocked,
  fleetEwsDown,
  fleetSiteOutage,
  fleetSharedPac,
  fleetSharedProxy,
  fleetEwsDegraded,
  fleetConfigWave,
  fleetCertChange,
  fleetDnsSplit,
  fleetBlind,
  pacUnreachable,
  pacScriptError,
  pacFileUrl,
  pacCaseMismatch,
  wpadMissing,
  autodetectOff,
  proxyHttpOnly,
  proxyUnreachable,
  proxyAuthRequired,
  proxyBlocksExchange,
  proxiedPathBroken,
  proxyStripsAuth,
  ewsPortBlocked,
  autodiscoverDnsMissing,
  apexSiteAnswersAutodiscover,
  autodiscoverRedirectLoop,
  tlsInterception,
  exchangeCertInvalid,
  revocationBlocked,
  ewsServiceDown,
  ewsUnexpectedAnswer,
  preauthFormInFront,
  ewsBasicOnly,
  exchangeThroughProxy,
  bypassListPartial,
  winhttpProxyWrong,
  clockSkew,
  ntlmPolicyBlocks,
  mixedModernAuth,
  exoEwsRetired,
  trustPromptDomainMismatch,
  lyncWebServicesUnreachable,
  sfbPortsBlocked,
  ewsIntermittent,
  ewsSlow,
  wpadForeign,
  proxyBaselineDrift,
  proxySettingsShadowed,
  staleCredentialsSuspected,
];

const byId = new Map(catalogue.map((pattern) => [pattern.id, pattern]));

/** @throws {RangeError} for an id without a pattern, which a test excludes. */
export function patternById(id: PatternId): Pattern {
  const pattern = byId.get(id);
  if (!pattern) throw new RangeError(`no pattern "${id}"; the catalogue holds e.g. proxy-unreachable`);
  return pattern;
}
