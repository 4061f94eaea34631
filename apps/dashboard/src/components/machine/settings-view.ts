import type { MachineFacts } from "@lynceus/protocol/state";
import { hashText, listText, onOff, routeText, winhttp } from "./settings-diff.ts";

export interface SettingsRow {
  label: string;
  value: string;
  note?: string;
  /** Words of ours, not the machine's. */
  plain?: boolean;
}
export interface SettingsGroup {
  title: string;
  rows: SettingsRow[];
}

const by: Record<string, string> = {
  "auto-detect": "auto-detect",
  pac: "script rule",
  manual: "manual proxy",
  bypass: "bypass list",
  implicit: "implicit bypass",
  none: "no proxy set",
  environment: "environment",
  forced: "by the probe only",
};

/** All that was read of one machine's proxy settings, in the order in which Windows decides. */
export function settingsTable(facts: MachineFacts, configuration: string): SettingsGroup[] {
  const settings = facts.settings?.facts ?? null;
  const groups: SettingsGroup[] = [];
  const entry = settings?.configurations.find((c) => c.id === configuration) ?? null;
  if (entry) {
    const s = entry.settings;
    groups.push({
      title: "In force",
      rows: [
        { label: "Auto-detect", value: onOff(s.autoDetect) },
        { label: "Script address", value: s.pacUrl ?? "none" },
        { label: "Manual proxy", value: s.server ?? "none" },
        { label: "Bypass list", value: listText(s.bypass) },
        { label: "Read from", value: s.source, note: s.dialect === "windows" ? "Windows rules" : "Unix rules" },
        {
          label: "Users",
          value: settings?.nobodySignedIn ? "nobody signed in; as last seen" : String(entry.users),
          plain: true,
        },
      ],
    });
  }
  const script = facts.pac[configuration]?.facts;
  const wpad = facts.wpad?.facts;
  if (script || wpad) {
    groups.push({
      title: "Script",
      rows: [
        ...(script
          ? [
              { label: "Address", value: script.url === "" ? "none" : script.url },
              { label: "Download", value: script.fetch, note: script.contentType ?? "" },
              { label: "sha256", value: hashText(script.sha256), note: `${script.bytes} bytes` },
              {
                label: "Evaluation",
                value: script.evalOk === null ? "not evaluated" : script.evalOk ? "ok" : (script.evalError ?? "failed"),
              },
              ...(script.urlFormsDiffer.length > 0
                ? [{ label: "Full and short URL differ for", value: script.urlFormsDiffer.join(", ") }]
                : []),
            ]
          : []),
        ...(wpad
          ? [
              {
                label: "WPAD by DNS",
                value: wpad.tried ? (wpad.dnsHost ?? "no such name") : "not tried",
                note: wpad.dnsHost ? wpad.fetch : "",
              },
              { label: "WPAD by DHCP", value: wpad.dhcp252Url ?? "none" },
            ]
          : []),
      ],
    });
  }
  if (settings) {
    groups.push({
      title: "Machine",
      rows: [
        { label: "WinHTTP 64 bit", value: winhttp(settings.winhttp64) },
        { label: "WinHTTP 32 bit", value: winhttp(settings.winhttp32) },
        {
          label: "Proxy settings per user",
          value: tri(settings.policy.ProxySettingsPerUser === null ? null : settings.policy.ProxySettingsPerUser !== 0),
        },
        { label: "Managed by policy", value: tri(settings.policy.gpoManaged) },
        {
          label: "WPAD in WinHTTP",
          value: settings.policy.DisableWpad === null ? "unknown" : onOff(!settings.policy.DisableWpad),
        },
        ...settings.users
          .filter((user) => user.mismatch)
          .map((_, i) => ({ label: `User ${i + 1}`, value: "saved and shown settings differ", plain: true })),
      ],
    });
    if (settings.sources.length > 0) {
      groups.push({
        title: "Sources",
        rows: settings.sources.map((source) => ({ label: source.name, value: source.outcome })),
      });
    }
  }
  const routes = Object.values(facts.probes)
    .map((slot) => slot.facts)
    .filter((probe) => probe.configuration === configuration && probe.via === "configured")
    .sort((a, b) => a.target.localeCompare(b.target, "en", { numeric: true }))
    .map((probe) => ({
      label: probe.endpoint.host,
      value: routeText(probe.route),
      note: [by[probe.route.by] ?? probe.route.by, probe.zone === "unknown" ? "" : `zone ${probe.zone}`]
        .filter((part) => part !== "")
        .join(", "),
    }));
  if (routes.length > 0) {
    // One host may be several targets with one route: said once.
    const seen = new Set<string>();
    groups.push({
      title: "Route per target",
      rows: routes.filter((row) => {
        const key = `${row.label}|${row.value}`;
        return seen.has(key) ? false : seen.add(key) !== undefined;
      }),
    });
  }
  return groups;
}

function tri(value: boolean | null): string {
  return value === null ? "unknown" : value ? "yes" : "no";
}
