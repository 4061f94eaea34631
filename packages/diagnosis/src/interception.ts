import type { ProbeFacts } from "@lynceus/protocol/facts";

/** Products that sign other people's certificates (domain 3.4 as cut by 5.0 rule 10): whole words of issuer O and CN. */
const inspectionVendor =
  /\b(?:zscaler|netskope|blue ?coat|symantec web|forcepoint|fortinet|palo alto|cisco umbrella|kaspersky|bitdefender|avast|eset|sophos|mcafee|trend ?micro|squid|proxy|inspection|firewall)\b/i;

export interface InterceptionBaseline {
  /** Probe of the same target on the direct route, where the judged one went through a proxy. */
  readonly direct: ProbeFacts | null;
  /** What most machines of this location see; null without peers. */
  readonly majority: { readonly issuer: string; readonly spki: string } | null;
  /** Sub-strings of issuer O or CN that the policy declares right for this target. */
  readonly expectedIssuers: readonly string[];
}

/** Why the certificate looks like an interceptor's: a vendor's name (sure), or only that others see another one. */
export interface Interception {
  readonly by: "vendor" | "direct" | "majority";
  readonly issuer: string;
  /** Issuer that the baseline saw, null for a vendor's name. */
  readonly usual: string | null;
}

/** Issuer as shown: CN, else O. */
export const issuerName = (probe: ProbeFacts | null): string | null =>
  probe?.tls?.issuerCN || probe?.tls?.issuerO || null;

/**
 * The interception flag of domain 3.4 under 5.0 rule 10, independent of the verdict. Another key alone is no
 * interception: the nodes behind a balancer, or the inner and the outer name, may each have their own certificate;
 * the issuer must differ as well. An issuer that the policy declares is never flagged.
 */
export function findInterception(probe: ProbeFacts, baseline: InterceptionBaseline): Interception | null {
  const { tls } = probe;
  const issuer = issuerName(probe);
  if (!tls || issuer === null) return null;
  const names = [tls.issuerCN ?? "", tls.issuerO ?? ""];
  const expected = baseline.expectedIssuers.some((part) =>
    names.some((name) => part !== "" && name.toLowerCase().includes(part.toLowerCase())),
  );
  if (expected) return null;
  if (names.some((name) => inspectionVendor.test(name))) return { by: "vendor", issuer, usual: null };
  if (tls.spkiSha256 === null) return null;
  const directIssuer = issuerName(baseline.direct);
  const directSpki = baseline.direct?.tls?.spkiSha256 ?? null;
  if (
    probe.route.kind === "proxy" &&
    baseline.direct?.tls?.ok &&
    directIssuer !== null &&
    directIssuer !== issuer &&
    directSpki !== null &&
    directSpki !== tls.spkiSha256
  )
    return { by: "direct", issuer, usual: directIssuer };
  const { majority } = baseline;
  if (majority && majority.issuer !== issuer && majority.spki !== tls.spkiSha256)
    return { by: "majority", issuer, usual: majority.issuer };
  return null;
}
