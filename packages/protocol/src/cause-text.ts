import type { AttributionKey } from "./names.ts";
import { formatCount, safeText } from "./present.ts";

const shortHash = (hash: string): string => hash.slice(0, 6);

/** How a shared value is called, as the beginning of a sentence; `none` is what was looked for and is not there. */
const subjects: Record<AttributionKey, { readonly value: (value: string) => string; readonly none: string }> = {
  "settings-wave": {
    // `<configuration>@<minute>Z`
    value: (value) => {
      const [configuration, at] = value.split("@");
      return `The settings change that began at ${at ?? "an unknown time"} (to ${configuration})`;
    },
    none: "No recent change of settings",
  },
  "pac-hash": { value: (value) => `Proxy script ${shortHash(value)}`, none: "No proxy script" },
  "pac-url": { value: (value) => `Script address ${value}`, none: "No proxy script" },
  proxy: { value: (value) => `Proxy ${value}`, none: "No proxy on the way" },
  "back-end": { value: (value) => `Exchange server ${value}`, none: "No named Exchange server" },
  address: { value: (value) => `Exchange address ${value}`, none: "No Exchange address" },
  "tls-spki": { value: (value) => `The certificate with key ${shortHash(value)}`, none: "No certificate" },
  "tls-issuer": { value: (value) => `The certificate issuer ${value}`, none: "No certificate" },
  resolver: { value: (value) => `DNS resolver ${value}`, none: "No DNS resolver" },
  subnet: { value: (value) => `Subnet ${value}`, none: "No private address" },
  site: { value: (value) => `Site ${value}`, none: "No site" },
  "policy-version": { value: (value) => `Policy ${value}`, none: "No policy" },
  "agent-version": { value: (value) => `Agent ${value}`, none: "No agent version" },
  "os-build": { value: (value) => `System ${value}`, none: "No system" },
  "route-kind": {
    value: (value) => (value === "direct" ? "The direct route" : "The route through a proxy"),
    none: "No route",
  },
};

/** "Proxy script 41ab07 explains 347 of the 351 failing machines", ready to show. */
export function causeText(cause: {
  readonly key: AttributionKey;
  readonly value: string;
  readonly explains: number;
  readonly of: number;
}): string {
  const { value, none } = subjects[cause.key];
  const subject = cause.value === "none" ? none : safeText(value(cause.value), 160);
  if (cause.explains === cause.of)
    return cause.of === 1
      ? `${subject} explains the one failing machine`
      : `${subject} explains all ${formatCount(cause.of)} failing machines`;
  return `${subject} explains ${formatCount(cause.explains)} of the ${formatCount(cause.of)} failing machines`;
}
