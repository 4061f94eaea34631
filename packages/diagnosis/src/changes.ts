import type { PacFacts, ProbeFacts, SettingsFacts, SystemFacts, WpadFacts } from "@lynceus/protocol/facts";
import type { AttributionKey } from "@lynceus/protocol/names";
import type { LastSeen, ProbeSlot } from "@lynceus/protocol/state";
import { issuerName } from "./interception.ts";
import { differenceText, inForce, settingsDifferences } from "./settings-changes.ts";

/** Something that a machine's observations show to have changed, for its timeline. */
export interface Change {
  /** Kinds of the timeline (`timelineEntrySchema`) that come from observations. */
  readonly kind: "verdict" | "settings" | "script" | "certificate" | "dns" | "agent" | "system";
  /** When the new state was observed. */
  readonly at: number;
  /** Ready to show: "EWS, configured: exchange-onprem → proxy-auth-required". */
  readonly text: string;
  readonly detail: string | null;
  /** Seen in an observation that came late: history, no news. */
  readonly replayed: boolean;
  /** Key of the observation, such as `probe:…`. */
  readonly key: string;
  /** What joins the same change on many machines. Of any length. */
  readonly changeKey: string;
  /** What attribution compares machines by, and the value that it has since; null where the change sets none of that. */
  readonly sets: { readonly key: AttributionKey; readonly value: string } | null;
}

interface Times {
  readonly at: number;
  readonly replayed: boolean;
}

const max = 1024;
const cut = (text: string) => (text.length > max ? `${text.slice(0, max - 1)}…` : text);

const serviceNames: Record<string, string> = {
  ews: "EWS",
  autodiscover: "Autodiscover",
  apex: "Bare domain",
  mapi: "MAPI",
  oab: "OAB",
  "exchange-health": "Exchange health page",
  "lync-discover": "Lync discovery",
  "lync-web": "Lync web services",
  "lync-rgs": "Response Group",
  "lync-abs": "Address book",
  sip: "SIP",
  "sip-plain": "Plain SIP",
  "autodiscover-srv": "Autodiscover SRV record",
  "sip-srv": "SIP SRV record",
  control: "Control",
  revocation: "Revocation",
};
/** A service as people call it; an unknown one by its own id. */
export const serviceName = (service: string): string =>
  Object.hasOwn(serviceNames, service) ? (serviceNames[service] ?? service) : service;

export function verdictChange(before: ProbeSlot, after: ProbeSlot, times: Times): Change {
  const { facts } = after;
  const moved = before.location === after.location ? "" : `, ${before.location} → ${after.location}`;
  const text = cut(`${serviceName(facts.endpoint.service)}, ${facts.via}: ${before.verdict} → ${after.verdict}`);
  return {
    kind: "verdict",
    ...times,
    text,
    detail: cut(`${facts.endpoint.host}${moved}`),
    key: `probe:${facts.configuration}:${facts.target}:${facts.via}`,
    changeKey: `verdict:${text}`,
    sets: null,
  };
}

/**
 * What differs between two readings of the proxy settings, setting by setting. Users are compared with themselves;
 * the same difference for several of them is one entry. Without users, the first configurations are compared.
 */
export function settingsChanges(before: SettingsFacts, after: SettingsFacts, times: Times): Change[] {
  return settingsDifferences(before, after).map((difference) => {
    const text = differenceText(difference);
    const { source, field, users } = difference;
    return {
      kind: "settings",
      ...times,
      text: cut(text),
      detail: users.length > 1 ? `${users.length} users` : null,
      key: "settings",
      changeKey: `settings:${text}`,
      sets: source === inForce && field === "Script address" ? { key: "pac-url", value: difference.after } : null,
    };
  });
}

const shortHash = (sha256: string | null): string => (sha256 === null ? "none" : sha256.slice(0, 6));

/**
 * The script's content changed, or whether it can be had.
 * @param lastHash of the script as it was last read; null where it never was.
 */
export function scriptChange(before: PacFacts, after: PacFacts, lastHash: string | null, times: Times): Change[] {
  const entry = (text: string, changeKey: string, sets: Change["sets"]): Change => ({
    kind: "script",
    ...times,
    text: cut(text),
    detail: after.url === "" ? null : cut(after.url),
    key: `pac:${after.configuration}`,
    changeKey,
    sets,
  });
  const changes: Change[] = [];
  if (lastHash !== null && after.sha256 !== null && lastHash !== after.sha256)
    changes.push(
      entry(
        `Script content ${shortHash(lastHash)} → ${shortHash(after.sha256)}`,
        `script:${lastHash}→${after.sha256}`,
        {
          key: "pac-hash",
          value: after.sha256,
        },
      ),
    );
  if (before.fetch !== after.fetch) {
    const text = `Script download: ${before.fetch} → ${after.fetch}`;
    changes.push(entry(text, `script:${text} ${after.url}`, null));
  }
  return changes;
}

const detected = ({ dhcp252Url, dnsHost }: WpadFacts): string => dhcp252Url || dnsHost || "nothing";

/** Automatic detection finds something else. */
export function detectionChange(before: WpadFacts, after: WpadFacts, times: Times): Change[] {
  if (!before.tried || !after.tried || detected(before) === detected(after)) return [];
  const text = cut(`Automatic detection finds ${detected(before)} → ${detected(after)}`);
  return [{ kind: "script", ...times, text, detail: null, key: "wpad", changeKey: `script:${text}`, sets: null }];
}

type Certificate = Pick<NonNullable<LastSeen["certificate"]>, "spki" | "issuer" | "notAfter">;

/** The certificate that a probe was shown; null where it saw none. */
export const certificateOf = (probe: ProbeFacts): Certificate | null =>
  probe.tls?.spkiSha256
    ? { spki: probe.tls.spkiSha256, issuer: issuerName(probe) ?? "unknown", notAfter: probe.tls.notAfter }
    : null;

const day = (at: number | null): string => (at === null ? "unknown" : new Date(at).toISOString().slice(0, 10));

/** Another key, issuer or end of the certificate on the same route. */
export function certificateChange(before: Certificate, after: Certificate, probe: ProbeFacts, times: Times): Change[] {
  const parts = [
    before.issuer === after.issuer ? null : `issuer ${before.issuer} → ${after.issuer}`,
    before.spki === after.spki ? null : `key ${shortHash(before.spki)} → ${shortHash(after.spki)}`,
    before.notAfter === after.notAfter ? null : `valid until ${day(before.notAfter)} → ${day(after.notAfter)}`,
  ].filter((part) => part !== null);
  if (parts.length === 0) return [];
  const { endpoint, via } = probe;
  return [
    {
      kind: "certificate",
      ...times,
      text: cut(`Certificate of ${serviceName(endpoint.service)}, ${via}: ${parts.join(", ")}`),
      detail: cut(endpoint.host),
      key: `probe:${probe.configuration}:${probe.target}:${via}`,
      changeKey: `certificate:${via} ${before.spki}→${after.spki} ${parts.join(", ")}`,
      sets:
        via === "configured" && before.spki !== after.spki
          ? { key: "tls-spki", value: after.spki }
          : via === "configured" && before.issuer !== after.issuer
            ? { key: "tls-issuer", value: after.issuer }
            : null,
    },
  ];
}

/** The name of a target has other addresses than it ever had lately. */
export function answerChange(
  before: readonly string[],
  after: readonly string[],
  probe: ProbeFacts,
  times: Times,
): Change {
  const text = cut(`${probe.endpoint.host} resolves to ${before.join(" ")} → ${after.join(" ")}`);
  return {
    kind: "dns",
    ...times,
    text,
    detail: serviceName(probe.endpoint.service),
    key: `probe:${probe.configuration}:${probe.target}:${probe.via}`,
    changeKey: `dns:${text}`,
    sets: after.length === 1 && probe.endpoint.service === "ews" ? { key: "address", value: after[0] ?? "" } : null,
  };
}

/** `os` and its version as attribution compares them. */
export const osBuild = ({ os, osVersion }: Pick<SystemFacts, "os" | "osVersion">): string =>
  `${os} ${osVersion}`.trim();

export function systemChanges(before: SystemFacts, after: SystemFacts, times: Times): Change[] {
  const entry = (kind: "agent" | "system", text: string, sets: NonNullable<Change["sets"]>): Change => ({
    kind,
    ...times,
    text: cut(text),
    detail: null,
    key: "system",
    changeKey: `${kind}:${text}`,
    sets,
  });
  const changes: Change[] = [];
  if (before.agentVersion !== after.agentVersion)
    changes.push(
      entry("agent", `Agent ${before.agentVersion} → ${after.agentVersion}`, {
        key: "agent-version",
        value: after.agentVersion,
      }),
    );
  if (osBuild(before) !== osBuild(after))
    changes.push(
      entry("system", `System ${osBuild(before)} → ${osBuild(after)}`, { key: "os-build", value: osBuild(after) }),
    );
  return changes;
}
