import type { ProbeFacts } from "@lynceus/protocol/facts";

/** Facts of a probe that reached nothing, with the parts that a test cares about replaced. */
export const probeFacts = (parts: Partial<ProbeFacts> = {}): ProbeFacts => ({
  configuration: "c1",
  target: "ews",
  via: "configured",
  endpoint: { service: "ews", kind: "https", host: "mail.contoso.com", port: 443, path: "/EWS/Exchange.asmx" },
  route: { kind: "direct", proxy: null, by: "none", list: "" },
  zone: "internet",
  dns: null,
  tcp: null,
  connect: null,
  tls: null,
  http: null,
  srv: null,
  timedOut: false,
  fenced: false,
  totalMs: 5,
  ...parts,
});
