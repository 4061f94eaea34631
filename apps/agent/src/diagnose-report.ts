import { type ChainState, type ChainStep, evidenceChain } from "@lynceus/diagnosis/chain";
import { textsOf } from "@lynceus/diagnosis/texts";
import type { Configuration, Observation, SettingsFacts } from "@lynceus/protocol/facts";
import type { Policy, Target } from "@lynceus/protocol/policy";
import { formatLatency, safeText as safeTextOf } from "@lynceus/protocol/present";
import type { Finding, MachineState, ProbeSlot } from "@lynceus/protocol/state";

/** What is printed: the state after the last cycle, all observations, the policy, and where trust came from. */
export type Report = (
  state: MachineState,
  observations: readonly Observation[],
  policy: Policy,
  trustSource: string,
) => string;

/** `{machine, observations, findings}`, with `status` and `sentence` beside them; one JSON document. */
export const jsonReport: Report = (state, observations) => {
  const { status, atRisk, sentence, findings } = state.diagnosis;
  const report = {
    machine: state.facts.system?.facts ?? null,
    status,
    atRisk,
    sentence,
    observations,
    findings: findings.map(({ pattern, primary, severity, confidence, evidence }) => {
      const texts = textsOf(pattern);
      return {
        pattern,
        primary,
        severity,
        confidence,
        evidence,
        remedy: texts?.remedy ?? [],
        reference: texts?.references.join("; ") ?? "",
      };
    }),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
};

/** A terminal has room for whole sentences; what is hostile in them is made visible. */
const safeText = (text: string) => safeTextOf(text, 4096);

const laneWidth = 46;
const marks: Record<ChainState, string> = {
  ok: "ok  ",
  slow: "late",
  failed: "FAIL",
  "failed-expected": "fail",
  "not-reached": "-   ",
  "not-applicable": "-   ",
};

const cut = (text: string, width: number) =>
  (text.length > width ? `${text.slice(0, width - 1)}…` : text).padEnd(width);

function cell(step: ChainStep | undefined): string {
  if (!step) return "";
  // The answer's second line has its time already.
  const time = step.ms === null || step.id === "answer" ? "" : ` ${formatLatency(step.ms)}`;
  const second = step.second === null ? "" : `, ${step.second}`;
  return safeText(`${marks[step.state]} ${step.value}${time}${second}`);
}

/** A step in two columns; what does not fit goes on in the next line. */
function row(title: string, configured: string, direct: string): string {
  const lines = (text: string) => text.match(new RegExp(`.{1,${laneWidth}}(?:\\s|$)|.{${laneWidth}}`, "gu")) ?? [""];
  const [left, right] = [lines(configured), lines(direct)];
  const count = Math.max(left.length, right.length);
  return Array.from({ length: count }, (_, i) =>
    `  ${(i === 0 ? title : "").padEnd(16)}${cut((left[i] ?? "").trim(), laneWidth)}  ${(right[i] ?? "").trim()}`.trimEnd(),
  ).join("\n");
}

interface Lanes {
  readonly configured: ProbeSlot | null;
  readonly direct: ProbeSlot | null;
}

function lanesOf(state: MachineState, configuration: string, target: Target): Lanes {
  const slot = (via: string) => state.facts.probes[`${configuration}:${target.id}:${via}`] ?? null;
  const elsewhere = Object.values(state.facts.probes).find(
    ({ facts }) => facts.target === target.id && facts.via === "direct",
  );
  return { configured: slot("configured"), direct: slot("direct") ?? elsewhere ?? null };
}

const addressOf = ({ host, port, path }: Target) => `${host}${port === null ? "" : `:${port}`}${path ?? ""}`;

const isFenced = (slot: ProbeSlot | null) => slot?.facts.fenced === true;

function chainTable(target: Target, { configured, direct }: Lanes, requiresProxy: boolean): string {
  const head = `${target.id}  ${safeText(addressOf(target))}`;
  if (!configured) return `${head}\n  not probed`;
  if (isFenced(configured)) return `${head}\n  refused: outside of what the command line named; nothing was sent`;
  const left = evidenceChain(configured.facts, { verdict: configured.verdict, ring: configured.ring });
  const right = direct
    ? evidenceChain(direct.facts, { verdict: direct.verdict, ring: direct.ring, expectedToFail: requiresProxy })
    : [];
  const sameWay = configured.facts.route.kind === "direct";
  return [
    head,
    row("", "CONFIGURED ROUTE", sameWay ? "" : "DIRECT"),
    ...left.map((step, i) => row(step.title, cell(step), sameWay ? "" : cell(right[i]))),
    ...(sameWay ? ["  The configured route is direct: one probe shows both."] : []),
  ].join("\n");
}

const verdictOf = (slot: ProbeSlot | null) => slot?.verdict ?? "-";

function shortLine(target: Target, { configured, direct }: Lanes): string {
  const verdicts = isFenced(configured)
    ? "refused: outside the fence"
    : direct && configured?.facts.route.kind !== "direct"
      ? `${verdictOf(configured)}; direct: ${verdictOf(direct)}`
      : verdictOf(configured);
  return `  ${cut(target.id, 34)} ${cut(safeText(addressOf(target)), 58)} ${verdicts}`;
}

function settingsOf({ settings, users }: Configuration): string {
  const ways = [
    settings.autoDetect ? "detect automatically" : null,
    settings.pacUrl === null ? null : `script ${settings.pacUrl}`,
    settings.server === null ? null : `proxy ${settings.server}${settings.bypass ? `, except ${settings.bypass}` : ""}`,
  ].filter((way) => way !== null);
  return safeText(
    `${ways.length > 0 ? ways.join("; ") : "no proxy"} (${settings.source}, ${users} user${users === 1 ? "" : "s"})`,
  );
}

const sourcesOf = ({ sources }: SettingsFacts) => sources.map(({ name, outcome }) => `${name}: ${outcome}`).join("; ");

function findingText(finding: Finding, index: number): string {
  const texts = textsOf(finding.pattern);
  const evidence = finding.evidence.map(({ text }) => `    - ${safeText(text)}`);
  const steps = (texts?.remedy ?? []).map(
    ({ who, what, reference }, i) => `    ${i + 1}. ${who}: ${what}${reference ? ` (${reference})` : ""}`,
  );
  return [
    `${index + 1}. ${texts?.title ?? finding.pattern}  [${finding.pattern}]`,
    `   ${finding.primary ? "primary" : "contributing"}, ${finding.severity}, confidence ${finding.confidence}`,
    `   ${safeText(finding.sentence)}`,
    "   Evidence",
    ...evidence,
    "   Fix",
    ...steps,
    `   Reference: ${texts?.references.join("; ") ?? "none"}`,
  ].join("\n");
}

/** The same for people: settings, the chain of both routes for each target that decides, findings with their fix. */
export const textReport: Report = (state, _observations, policy, trustSource) => {
  const { system, settings, wpad, pac } = state.facts;
  const required = new Set(policy.groups.filter((group) => group.required).flatMap((group) => group.anyOf));
  const deciding = policy.targets.filter(({ id, kind }) => required.has(id) && kind !== "srv");
  const others = policy.targets.filter((target) => !deciding.includes(target));
  const out: string[] = [];
  if (system)
    out.push(
      safeText(
        `${system.facts.hostname}, ${system.facts.osVersion}, location ${system.location}, agent ${system.facts.agentVersion}`,
      ),
    );
  if (settings) out.push(`Sources of proxy settings: ${safeText(sourcesOf(settings.facts))}`);
  out.push(`Certificates are judged by: ${trustSource}`);
  if (wpad?.facts.tried)
    out.push(`Proxy discovery: ${safeText(wpad.facts.dnsHost ?? "no wpad name resolves")}, ${wpad.facts.fetch}`);
  for (const configuration of settings?.facts.configurations ?? []) {
    out.push("", `Configuration ${configuration.id}: ${settingsOf(configuration)}`);
    const script = pac[configuration.id]?.facts;
    if (script)
      out.push(
        safeText(
          `Script ${script.url}: ${script.fetch}${script.evalError ? `, ${script.evalError}` : ""}${script.sha256 ? `, ${script.bytes} bytes, sha256 ${script.sha256.slice(0, 12)}` : ""}`,
        ),
      );
    if (!Object.values(state.facts.probes).some(({ facts }) => facts.configuration === configuration.id)) {
      out.push("Not probed: a cycle takes eight configurations, the most used first; --cycles N has more turns.");
      continue;
    }
    for (const target of deciding)
      out.push("", chainTable(target, lanesOf(state, configuration.id, target), policy.expectations.requiresProxy));
    out.push("", "Other targets");
    for (const target of others) out.push(shortLine(target, lanesOf(state, configuration.id, target)));
  }
  const { status, sentence, findings } = state.diagnosis;
  out.push("", `Status: ${status}`, safeText(sentence), "");
  out.push(findings.length === 0 ? "No findings." : findings.map(findingText).join("\n\n"));
  return `${out.join("\n")}\n`;
};
