import { type ChainOptions, type ChainStepId, evidenceChain } from "@lynceus/diagnosis/chain";
import { isOk } from "@lynceus/diagnosis/verdicts";
import type { ProbeFacts } from "@lynceus/protocol/facts";
import type { MachineStatus } from "@lynceus/protocol/names";
import type { Policy, Target } from "@lynceus/protocol/policy";
import { formatLatency, formatTime, safeHost } from "@lynceus/protocol/present";
import type { MachineFacts, ProbeSlot } from "@lynceus/protocol/state";
import type { ChainNote } from "../evidence-chain/evidence-chain.tsx";
import type { Column, Lane, LaneStep } from "../evidence-chain/lane.ts";

/** The lanes of one target on one machine: configured, direct, and control where it fails. */

interface LaneContext {
  facts: MachineFacts;
  policy: Policy | null;
  configuration: string;
  status: MachineStatus;
  now: number;
  zone: string;
}

export function slotOf(facts: MachineFacts, configuration: string, target: string, via: string): ProbeSlot | null {
  const key = `${configuration}:${target}:${via}`;
  if (Object.hasOwn(facts.probes, key)) return facts.probes[key] ?? null;
  if (via === "configured") return null;
  // The direct route is the same for every user: another configuration's probe serves as well.
  const others = Object.values(facts.probes).filter((slot) => slot.facts.target === target && slot.facts.via === via);
  return others.sort((a, b) => b.at - a.at)[0] ?? null;
}

/** Whether a slot's verdict is good for its target; null when the policy does not name the target any more. */
export function slotOk(slot: ProbeSlot, policy: Policy | null): boolean | null {
  const target = policy?.targets.find((t) => t.id === slot.facts.target);
  return target ? isOk(slot.verdict, target) : null;
}

/** Whether a failing direct route proves nothing: the network requires a proxy, or the proxy works (5.0 rule 7). */
export function directMayFail(
  facts: MachineFacts,
  policy: Policy | null,
  configuration: string,
  target: string,
): boolean {
  if (policy?.expectations.requiresProxy === true) return true;
  const configured = slotOf(facts, configuration, target, "configured");
  return configured !== null && configured.facts.route.kind === "proxy" && slotOk(configured, policy) === true;
}

export function lanesOf(target: string, context: LaneContext): Lane[] {
  const { facts, policy, configuration } = context;
  const configured = slotOf(facts, configuration, target, "configured");
  const direct = slotOf(facts, configuration, target, "direct");
  const lanes: Lane[] = [];
  if (configured) lanes.push(laneOf("configured", configured, context, false));
  const proxied = configured?.facts.route.kind === "proxy";
  if (direct && (proxied || !configured)) {
    const expected = slotOk(direct, policy) === false && directMayFail(facts, policy, configuration, target);
    lanes.push(laneOf("direct", direct, context, expected));
  }
  const control = controlSlot(context);
  const failing = configured !== null && slotOk(configured, policy) === false;
  if (control && failing && slotOk(control, policy) === false && control.facts.target !== target) {
    lanes.push(laneOf("control", control, context, false));
  }
  return lanes;
}

/** The control probe of a configuration, plain http first: it is what tells a dead network from a dead Exchange. */
export function controlSlot({ facts, policy, configuration }: Pick<LaneContext, "facts" | "policy" | "configuration">) {
  const ids = (policy?.targets ?? []).filter((t) => t.service === "control").map((t) => t.id);
  return ids.map((id) => slotOf(facts, configuration, id, "configured")).find((slot) => slot !== null) ?? null;
}

function laneOf(id: Lane["id"], slot: ProbeSlot, context: LaneContext, expectedToFail: boolean): Lane {
  const probe = slot.facts;
  const script = id === "direct" ? null : (context.facts.pac[probe.configuration] ?? null);
  const options: ChainOptions = {
    verdict: slot.verdict,
    expectedToFail,
    ring: slot.ring,
    usual: usualOf(slot),
    script: script ? `${fileOf(script.facts.url)} ${script.facts.sha256?.slice(0, 6) ?? "no content"}`.trim() : null,
  };
  const chain = evidenceChain(probe, options);
  const answer = chain.find((step) => step.id === "answer");
  const steps = chain
    .filter((step) => step.id !== "answer")
    .map((step): LaneStep => {
      const details = step.second === null ? [] : step.second.split(step.id === "tls" ? ", " : "; ");
      return {
        column: step.id as Column,
        state: step.state,
        value: step.value,
        // The lane's title says the proxy already.
        details: [
          ...details.filter((text) => text !== routeTitle(probe)),
          ...extraDetails(step.id, probe, script, context),
        ],
        ms: step.ms,
        hint: step.state === "slow" ? "Slow: above its limit, and above three times what is usual here" : null,
      };
    });
  const good = answer?.state === "ok";
  const unsure = !good && (context.status === "cannot-tell" || slotOk(slot, context.policy) === null);
  const [verdict = "", ...rest] = (answer?.second ?? "").replace("; expected here", "").split(" · ");
  return {
    id,
    title: { configured: "Configured route", direct: "Direct", control: "Control" }[id],
    subtitles:
      id === "configured"
        ? [routeTitle(probe), "what Lync uses"]
        : id === "direct"
          ? ["no proxy", "for comparison only"]
          : [safeHost(probe.endpoint.host)],
    steps,
    answer: {
      mark: good ? "healthy" : expectedToFail ? "off" : unsure ? "cannot-tell" : "failing",
      text: expectedToFail && !good ? "Closed by design" : (answer?.value ?? "Unknown"),
      details: [verdict, rest.join(" · ")].filter((part) => part !== ""),
    },
  };
}

function extraDetails(
  step: ChainStepId,
  probe: ProbeFacts,
  script: MachineFacts["pac"][string] | null,
  { facts, now, zone }: LaneContext,
): string[] {
  if (step === "route" && script && facts.previousPac[probe.configuration]) {
    return [`new at ${formatTime(script.since, { now, zone })}`];
  }
  const realm = /realm="([^"]{1,64})"/i.exec(probe.connect?.headers["proxy-authenticate"] ?? "");
  if (step === "connect" && probe.connect?.status === 407 && realm) return [`realm "${realm[1]}"`];
  return [];
}

export function routeTitle(probe: ProbeFacts): string {
  const { route } = probe;
  if (route.kind === "proxy" && route.proxy) return `${safeHost(route.proxy.host)}:${route.proxy.port}`;
  return route.kind === "direct" ? "direct" : "unknown";
}

function fileOf(url: string): string {
  return url.split("/").at(-1)?.split("?")[0] ?? "";
}

/** Own medians per step over the ring, without the newest; only where there are enough to speak of "usually". */
function usualOf(slot: ProbeSlot): Partial<Record<ChainStepId, number>> {
  const usual: Partial<Record<ChainStepId, number>> = {};
  const steps = ["dns", "tcp", "connect", "tls", "http"] as const;
  for (const [i, step] of steps.entries()) {
    const times = slot.ring
      .slice(0, -1)
      .map((entry) => entry.phases[i] ?? null)
      .filter((ms): ms is number => ms !== null)
      .sort((a, b) => a - b);
    const median = times[Math.floor(times.length / 2)];
    if (times.length >= 4 && median !== undefined) usual[step] = median;
  }
  return usual;
}

export interface TargetTab {
  id: string;
  title: string;
  target: Target;
}

/** One tab a group, standing for its worst member: EWS first, then in the policy's order. */
export function targetTabs(facts: MachineFacts, policy: Policy | null, configuration: string): TargetTab[] {
  const byId = new Map((policy?.targets ?? []).map((target) => [target.id, target]));
  const tabs: TargetTab[] = [];
  for (const group of policy?.groups ?? []) {
    const members = group.anyOf
      .map((id) => ({ target: byId.get(id), slot: slotOf(facts, configuration, id, "configured") }))
      .filter((m): m is { target: Target; slot: ProbeSlot } => m.target !== undefined && m.slot !== null);
    const first = members.find((m) => !isOk(m.slot.verdict, m.target)) ?? members[0];
    // A group is well when any of its members is.
    const shown = members.find((m) => isOk(m.slot.verdict, m.target)) ?? first;
    if (shown) tabs.push({ id: shown.target.id, title: group.title, target: shown.target });
  }
  return tabs;
}

/** The line under the chain: what the control said, what it is not, and what cannot be seen. */
export function notesOf(context: LaneContext, notThis: readonly string[]): ChainNote[] {
  const notes: ChainNote[] = [];
  const control = controlSlot(context);
  if (control) {
    const ok = slotOk(control, context.policy);
    const status = control.facts.http?.status;
    const way = control.facts.route.kind === "proxy" ? `through ${routeTitle(control.facts)}` : "direct";
    notes.push({
      lead: ok === false ? "Control fails too" : ok === true ? "Control works" : "Control",
      text: `${status ?? control.verdict} ${way}, ${formatLatency(control.facts.totalMs)}`,
      mark: ok === false ? "failing" : ok === true ? "healthy" : "cannot-tell",
    });
  } else {
    notes.push({ lead: "Control", text: "not probed: a dead network cannot be told from a dead Exchange" });
  }
  for (const text of notThis.slice(0, 1)) notes.push({ lead: "Look-alike", text });
  notes.push({ lead: "Cannot be seen", text: "whether a window is open; the agent never signs in" });
  return notes;
}
