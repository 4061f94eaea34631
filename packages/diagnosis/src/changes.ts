import type { EffectiveSettings, PacFacts, SettingsFacts, SystemFacts } from "@lynceus/protocol/facts";
import type { ProbeSlot } from "@lynceus/protocol/state";

/** Something that a machine's observations show to have changed, for its timeline. */
export interface Change {
  /** Kinds of the timeline (`timelineEntrySchema`) that come from observations. */
  readonly kind: "verdict" | "settings" | "script" | "agent";
  /** When the new state was observed. */
  readonly at: number;
  /** Ready to show: "EWS, configured: exchange-onprem → proxy-auth-required". */
  readonly text: string;
  readonly detail: string | null;
  /** Seen in an observation that came late: history, no news. */
  readonly replayed: boolean;
  /** Key of the observation, such as `probe:…`. */
  readonly key: string;
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
  return {
    kind: "verdict",
    ...times,
    text: cut(`${serviceName(facts.endpoint.service)}, ${facts.via}: ${before.verdict} → ${after.verdict}`),
    detail: cut(`${facts.endpoint.host}${moved}`),
    key: `probe:${facts.configuration}:${facts.target}:${facts.via}`,
  };
}

/** One line per setting that differs: name, then its value as shown. */
const settingLines = (settings: EffectiveSettings): [string, string][] => [
  ["Automatically detect settings", settings.autoDetect ? "on" : "off"],
  ["Script address", settings.pacUrl ?? "none"],
  ["Proxy server", settings.server ?? "none"],
  ["Bypass list", settings.bypass === "" ? "none" : settings.bypass],
  ["Source", settings.source],
];

function usersOf(facts: SettingsFacts): Map<string, EffectiveSettings> {
  const byId = new Map(facts.configurations.map((configuration) => [configuration.id, configuration.settings]));
  return new Map(
    facts.users.flatMap((user) => {
      const settings = byId.get(user.configuration);
      return settings ? [[user.id, settings] as const] : [];
    }),
  );
}

/**
 * What differs between two readings of the proxy settings, setting by setting. Users are compared with themselves;
 * the same difference for several of them is one entry. Without users, the first configurations are compared.
 */
export function settingsChanges(before: SettingsFacts, after: SettingsFacts, times: Times): Change[] {
  const was = usersOf(before);
  const is = usersOf(after);
  const pairs: [EffectiveSettings, EffectiveSettings][] = [];
  for (const [user, settings] of is) {
    const earlier = was.get(user);
    if (earlier) pairs.push([earlier, settings]);
  }
  const [firstBefore, firstAfter] = [before.configurations[0], after.configurations[0]];
  if (is.size === 0 && firstBefore && firstAfter) pairs.push([firstBefore.settings, firstAfter.settings]);

  const users = new Map<string, number>();
  const count = (text: string) => users.set(text, (users.get(text) ?? 0) + 1);
  for (const [earlier, later] of pairs) {
    const old = new Map(settingLines(earlier));
    for (const [name, value] of settingLines(later))
      if (old.get(name) !== value) count(`${name}: ${old.get(name) ?? "unknown"} → ${value}`);
  }
  const machineWide = (name: string, a: string, b: string) => {
    if (a !== b) users.set(`${name}: ${a} → ${b}`, 0);
  };
  const winhttp = (value: SettingsFacts["winhttp64"]) => (value ? value.server || "direct" : "none");
  machineWide("WinHTTP 64-bit proxy", winhttp(before.winhttp64), winhttp(after.winhttp64));
  machineWide("WinHTTP 32-bit proxy", winhttp(before.winhttp32), winhttp(after.winhttp32));
  machineWide(
    "Proxy settings per user",
    String(before.policy.ProxySettingsPerUser ?? "not set"),
    String(after.policy.ProxySettingsPerUser ?? "not set"),
  );
  machineWide("WPAD in WinHTTP", wpadSwitch(before), wpadSwitch(after));

  return [...users].map(([text, count]) => ({
    kind: "settings",
    ...times,
    text: cut(text),
    detail: count > 1 ? `${count} users` : null,
    key: "settings",
  }));
}

const wpadSwitch = ({ policy }: SettingsFacts): string =>
  policy.DisableWpad === null ? "not set" : policy.DisableWpad ? "off" : "on";

const shortHash = (sha256: string | null): string => (sha256 === null ? "none" : sha256.slice(0, 6));

/** The script's content changed, or whether it can be had. */
export function scriptChange(before: PacFacts, after: PacFacts, times: Times): Change[] {
  const changes: Change[] = [];
  const entry = (text: string): Change => ({
    kind: "script",
    ...times,
    text: cut(text),
    detail: after.url === "" ? null : cut(after.url),
    key: `pac:${after.configuration}`,
  });
  if (before.sha256 !== null && after.sha256 !== null && before.sha256 !== after.sha256)
    changes.push(entry(`Script content ${shortHash(before.sha256)} → ${shortHash(after.sha256)}`));
  if (before.fetch !== after.fetch) changes.push(entry(`Script download: ${before.fetch} → ${after.fetch}`));
  return changes;
}

export function systemChanges(before: SystemFacts, after: SystemFacts, times: Times): Change[] {
  if (before.agentVersion === after.agentVersion) return [];
  return [
    {
      kind: "agent",
      ...times,
      text: cut(`Agent ${before.agentVersion} → ${after.agentVersion}`),
      detail: null,
      key: "system",
    },
  ];
}
