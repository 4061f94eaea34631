import type { FilterField } from "@lynceus/protocol/filter";

/** Fields that machines can be grouped by, as they are offered: those with few values. */
export const groupFields = {
  site: "Site",
  primary: "Primary finding",
  pattern: "Any finding",
  status: "State",
  cause: "Cause",
  route: "Configured route",
  verdict: "Verdict, configured",
  direct: "Verdict, direct",
  step: "First failed step",
  target: "Failing target",
  pac: "Script",
  winhttp: "WinHTTP",
  zone: "Zone",
  by: "Route chosen by",
  issuer: "TLS issuer",
  server: "Exchange server",
  resolver: "Resolver",
  subnet: "Subnet",
  os: "System",
  agent: "Agent",
  tag: "Tag",
  severity: "Severity",
  confidence: "Confidence",
} as const satisfies Partial<Record<FilterField, string>>;

export type GroupField = keyof typeof groupFields;

export const isGroupField = (text: unknown): text is GroupField =>
  typeof text === "string" && Object.hasOwn(groupFields, text);
