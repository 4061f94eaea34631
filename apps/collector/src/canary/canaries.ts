import { createHash } from "node:crypto";
import {
  beginCanary,
  type CanaryCandidate,
  type CanaryOutcome,
  type CanaryWork,
  canaryOfCommand,
  candidatesById,
  endEvaluation,
  nextCandidates,
  peersOnRoute,
  saveCanaryAnswer,
  saveCanaryPage,
  takeCanary,
} from "@lynceus/db/canaries";
import type { Database } from "@lynceus/db/client";
import { countMachines } from "@lynceus/db/machines";
import { fleetOf, wholeFleet } from "@lynceus/db/scope";
import { isTransient } from "@lynceus/db/sql-error";
import { classify } from "@lynceus/diagnosis/classify";
import { currentLocation } from "@lynceus/diagnosis/view";
import type { ProbeFacts } from "@lynceus/protocol/facts";
import { parseFilter } from "@lynceus/protocol/filter";
import { limits } from "@lynceus/protocol/limits";
import type { AgentMessage } from "@lynceus/protocol/messages";
import type { Verdict } from "@lynceus/protocol/names";
import type { Policy, Target } from "@lynceus/protocol/policy";
import { type PacOutcome, resolveRoute } from "@lynceus/proxy-settings/route";
import { isSpecialAddress } from "@lynceus/proxy-settings/special-address";
import { targetUrl } from "@lynceus/proxy-settings/target-url";
import type { Logger } from "pino";
import { coalesce } from "../coalesce.ts";
import {
  canaryTargets,
  evaluateMachine,
  type PeerView,
  type ProposedRoute,
  peerViews,
  settingsOf,
  wayOf,
  wayOfProxy,
} from "./evaluate.ts";
import { fetchProposedScript } from "./fetch-script.ts";
import { evaluateScript, type ScriptWorld, worldOf } from "./scripts.ts";

type CanaryResult = Extract<AgentMessage, { type: "canary-result" }>;

/** Machines per transaction. */
const pageSize = 200;
/** Machines on a route that speak for it. */
const maxPeers = 200;
/** Routes of which peers are asked in one run, and scripts found by detection that are fetched. */
const maxWays = 64;
const maxDetected = 8;
const leaseMs = 5 * 60_000;
const dayMs = 86_400_000;

export interface CanariesOptions {
  readonly db: Database;
  readonly collectorId: string;
  readonly policy: () => Policy;
  readonly now: () => number;
  readonly log: Logger;
  /** Addresses that a proposed script is not fetched from; a test allows its own. */
  readonly refusesAddress?: (address: string) => boolean;
}

/** Evaluates canaries one after the other, and takes the answers of machines that probed them. */
export function createCanaries({ db, collectorId, policy, now, log, ...options }: CanariesOptions) {
  const refuses = options.refusesAddress ?? isSpecialAddress;
  const abort = new AbortController();

  const shownError = (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, 512);

  /** The script, read once and kept with the run, so that all machines are judged by one text. */
  async function scriptOf(work: CanaryWork): Promise<string | null> {
    const { pac } = work.proposal;
    if (pac === null) return null;
    if (work.script !== null) return work.script;
    return pac.from === "text" ? pac.text : fetchProposedScript(pac.url, { refuses, signal: abort.signal });
  }

  /** What peers see on a way, read when the first machine would take it. */
  function peersByWay(rules: Policy, at: number) {
    const known = new Map<string, ReturnType<typeof peerViews>>();
    const key = (way: string, simulated: boolean) => `${simulated ? "simulated" : "real"} ${way}`;
    return {
      async learn(ways: Iterable<string>, simulated: boolean): Promise<void> {
        for (const way of ways) {
          if (known.has(key(way, simulated)) || known.size >= maxWays) continue;
          // The column holds `host:port`, whatever the scheme.
          const route = way.replace(/^[a-z0-9]+:\/\//, "");
          const seenSince = new Date(at - dayMs);
          known.set(
            key(way, simulated),
            peerViews(await peersOnRoute(db, { route, simulated, seenSince, limit: maxPeers }), rules, at),
          );
        }
      },
      of:
        (
          simulated: boolean,
        ): ((
          way: string,
          ...rest: [Target, Parameters<ReturnType<typeof peerViews>>[2], string | null]
        ) => PeerView | null) =>
        (way, ...rest) =>
          known.get(key(way, simulated))?.(way, ...rest) ?? null,
    };
  }

  /** Scripts that detection would find, as far as machines tell where and this collector can read them. */
  function detectedScripts() {
    const texts = new Map<string, string | Error>();
    return async ({ facts }: CanaryCandidate): Promise<{ script: string } | { none: string } | { unknown: string }> => {
      const found = facts.wpad?.facts;
      if (!found?.tried) return { unknown: "auto-detect: this machine does not look for a script now" };
      if (found.fetch !== "ok") return { none: `no script found by detection (${found.fetch})` };
      const url = found.dhcp252Url ?? (found.dnsHost && `http://${found.dnsHost}/wpad.dat`);
      if (!url || !/^https?:\/\//i.test(url)) return { unknown: "auto-detect: where the script is, is not known" };
      if (!texts.has(url)) {
        if (texts.size >= maxDetected) return { unknown: "auto-detect: too many different scripts are found" };
        texts.set(
          url,
          await fetchProposedScript(url, { refuses, signal: abort.signal }).catch((error: unknown) =>
            error instanceof Error ? error : new Error(String(error)),
          ),
        );
      }
      const text = texts.get(url);
      return typeof text === "string" ? { script: text } : { unknown: `auto-detect: ${text?.message ?? "no script"}` };
    };
  }

  /** The routes that a page of machines would take. */
  async function proposedRoutes(
    work: CanaryWork,
    script: string | null,
    page: readonly CanaryCandidate[],
    rules: Policy,
    detect: ReturnType<typeof detectedScripts>,
    answers: Map<string, Map<string, PacOutcome>>,
  ): Promise<((configuration: string, target: Target) => ProposedRoute)[]> {
    const calls: { machine: number; target: string; url: string; world: ScriptWorld }[] = [];
    const worlds = page.map(({ facts }) => worldOf(facts));
    const targets = page.map(({ facts }) => canaryTargets(rules, currentLocation(facts, rules)));
    for (const [machine, list] of targets.entries())
      for (const target of list)
        calls.push({ machine, target: target.id, url: targetUrl(target), world: worlds[machine] as ScriptWorld });
    const ask = async (text: string, asked: readonly (typeof calls)[number][]) => {
      const known = answers.get(text) ?? new Map<string, PacOutcome>();
      answers.set(text, known);
      const outcomes = await evaluateScript(text, asked, abort.signal, known);
      return new Map(
        asked.map(({ machine, target }, index) => [`${machine} ${target}`, outcomes[index] as PacOutcome]),
      );
    };
    const named = script === null ? null : await ask(script, calls);
    const found = work.proposal.autoDetect ? await Promise.all(page.map(detect)) : null;
    const detected = new Map<string, PacOutcome>();
    if (found) {
      const byScript = new Map<string, number[]>();
      for (const [machine, one] of found.entries())
        if ("script" in one) byScript.set(one.script, [...(byScript.get(one.script) ?? []), machine]);
      for (const [text, machines] of byScript) {
        const asked = calls.filter(({ machine }) => machines.includes(machine));
        for (const [key, outcome] of await ask(text, asked)) detected.set(key, outcome);
      }
    }
    return page.map(({ facts }, machine) => (configuration, target) => {
      const one = found?.[machine];
      if (one && "unknown" in one) return { route: null, notes: [one.unknown] };
      const own = facts.settings?.facts.configurations.find(({ id }) => id === configuration)?.settings.dialect;
      const dialect = own ?? (facts.system?.facts.os === "windows" ? "windows" : "unix");
      const key = `${machine} ${target.id}`;
      const autoDetect: PacOutcome | null =
        one === undefined ? null : "none" in one ? { ok: false, why: one.none } : (detected.get(key) ?? null);
      const { route, fellThrough } = resolveRoute(targetUrl(target), settingsOf(work.proposal, dialect), {
        autoDetect,
        pac: named?.get(key) ?? null,
      });
      if (route.kind === "unknown") return { route: null, notes: fellThrough };
      return { route: { kind: route.kind, proxy: route.proxy }, notes: fellThrough };
    });
  }

  async function evaluatePage(
    work: CanaryWork,
    script: string | null,
    page: readonly CanaryCandidate[],
    tools: {
      rules: Policy;
      at: number;
      peers: ReturnType<typeof peersByWay>;
      detect: ReturnType<typeof detectedScripts>;
      /** By script, of this run. */
      answers: Map<string, Map<string, PacOutcome>>;
    },
  ): Promise<CanaryOutcome[]> {
    const { rules, at, peers } = tools;
    const proposed = await proposedRoutes(work, script, page, rules, tools.detect, tools.answers);
    const inputs = page.map((candidate, index) => ({
      facts: candidate.facts,
      site: candidate.site,
      policy: rules,
      now: at,
      proposed: proposed[index] as (typeof proposed)[number],
      peers: peers.of(candidate.simulated),
    }));
    const drafts = inputs.map((input) => evaluateMachine({ ...input, peers: () => null }));
    for (const simulated of [false, true]) {
      const ways = drafts.flatMap(({ targets }, index) =>
        page[index]?.simulated === simulated
          ? targets.flatMap(({ after }) => (after.basis === "none" && after.route !== null ? [after.route] : []))
          : [],
      );
      await peers.learn(new Set(ways), simulated);
    }
    const wanted = new Set(work.probe);
    return page.map(({ machineId }, index) => {
      const { effect, targets, routes } = evaluateMachine(inputs[index] as (typeof inputs)[number]);
      const probe = wanted.has(machineId)
        ? [...routes].slice(0, limits.canaryRoutes).map(([target, proxy]) => ({ target, proxy }))
        : [];
      return { machineId, effect, targets, routes: probe };
    });
  }

  async function run(work: CanaryWork): Promise<void> {
    const at = now();
    const rules = policy();
    const end = (reason: string | null, failed = false) =>
      endEvaluation(db, work.id, { collectorId, now: new Date(now()), reason, failed });
    const { terms, errors } = parseFilter(work.q, { now: at });
    if (errors[0]) return end(`the filter cannot be read: ${errors[0].message}`, true);
    let script: string | null;
    try {
      script = await scriptOf(work);
    } catch (error) {
      abort.signal.throwIfAborted();
      return end(shownError(error), true);
    }
    const fleet = fleetOf(db, work.scope);
    const counts = await countMachines(fleet, { terms, site: work.site });
    const machines = counts.healthy + counts.failing + counts.stale + counts.cannotTell + counts.signedOff;
    const sha256 = script === null ? null : createHash("sha256").update(script).digest("hex");
    if (!(await beginCanary(db, work.id, { collectorId, script, sha256, machines }))) return;
    const tools = {
      rules,
      at,
      peers: peersByWay(rules, at),
      detect: detectedScripts(),
      answers: new Map<string, Map<string, PacOutcome>>(),
    };
    let after = work.afterMachine;
    for (;;) {
      abort.signal.throwIfAborted();
      const page = await nextCandidates(fleet, { terms, site: work.site, after, limit: pageSize });
      const last = page.at(-1);
      if (!last) break;
      const outcomes = await evaluatePage(work, script, page, tools);
      after = last.machineId;
      const leaseUntil = new Date(now() + leaseMs);
      // Cancelled, or another collector took it because we were silent for too long.
      if (!(await saveCanaryPage(db, work.id, { collectorId, leaseUntil, outcomes, after }))) return;
      await new Promise(setImmediate);
    }
    await end(null);
  }

  const working = coalesce(
    async () => {
      for (;;) {
        if (abort.signal.aborted) return;
        const work = await takeCanary(db, { collectorId, now: new Date(now()), leaseMs });
        if (!work) return;
        try {
          await run(work);
        } catch (error) {
          if (abort.signal.aborted) return;
          if (isTransient(error)) throw error;
          log.error({ err: error, canary: work.id }, "a canary failed");
          const reason = "the evaluation failed here; the collector's log says why";
          await endEvaluation(db, work.id, { collectorId, now: new Date(now()), reason, failed: true });
        }
      }
    },
    (error) => log.warn({ err: error }, "a canary cannot be evaluated now; it is tried again"),
  );

  /** The verdict of an answer, if it is one to what was asked. */
  function verdictOf(
    answer: CanaryResult["answers"][number],
    target: Target,
    rules: Policy,
  ): { verdict: Verdict; facts: ProbeFacts } | null {
    const { facts } = answer;
    if (!facts || facts.fenced || facts.target !== target.id || wayOf(facts.route) !== wayOfProxy(answer.proxy))
      return null;
    return { verdict: classify(facts, rules.expectations, null), facts };
  }

  async function takeAnswer(machineId: string, message: CanaryResult): Promise<void> {
    const asked = await canaryOfCommand(db, message.id, machineId);
    if (!asked) return;
    const [candidate] = await candidatesById(wholeFleet(db), [machineId]);
    if (!candidate) return;
    const rules = policy();
    const targets = new Map(rules.targets.map((target) => [target.id, target]));
    const proxies = new Map(asked.routes.map(({ target, proxy }) => [target, proxy]));
    const probed = new Map<string, { verdict: Verdict; facts: ProbeFacts }>();
    const refusals: string[] = [];
    for (const answer of message.answers) {
      const target = targets.get(answer.target);
      const proxy = proxies.get(answer.target);
      if (!target || proxy === undefined || wayOfProxy(proxy) !== wayOfProxy(answer.proxy)) continue;
      if (answer.refused !== null) refusals.push(`${target.id}: ${answer.refused}`);
      const seen = verdictOf(answer, target, rules);
      if (seen) probed.set(target.id, seen);
    }
    const stored = new Map(asked.targets.map((one) => [one.target, one]));
    const { effect, targets: judged } = evaluateMachine({
      facts: candidate.facts,
      site: candidate.site,
      policy: rules,
      now: now(),
      probed,
      // What was not to be probed stays as it is now.
      proposed(configuration, target) {
        const notes = stored.get(target.id)?.after.notes ?? [];
        const proxy = proxies.get(target.id);
        if (proxy !== undefined) return { route: { kind: proxy === null ? "direct" : "proxy", proxy }, notes };
        if (stored.has(target.id)) return { route: null, notes };
        const slot = candidate.facts.probes[`${configuration}:${target.id}:configured`];
        const { kind, proxy: present = null } = slot?.facts.route ?? { kind: "direct" as const };
        return kind === "unknown" ? { route: null, notes: [] } : { route: { kind, proxy: present }, notes: [] };
      },
      peers: () => null,
    });
    const reason = refusals.length === 0 ? null : refusals.slice(0, 3).join("; ");
    await saveCanaryAnswer(db, { commandId: message.id, machineId, effect, targets: judged, reason });
  }

  const pending = new Set<Promise<void>>();

  return {
    /** Looks for canaries to evaluate. */
    work: working.ask,

    /** What a machine saw on the routes it was asked to probe. Nothing but the canary's own result changes. */
    answer(machineId: string, message: CanaryResult): void {
      const taken: Promise<void> = takeAnswer(machineId, message)
        .catch((error) => log.warn({ err: error, machineId }, "the answer to a canary cannot be stored"))
        .finally(() => pending.delete(taken));
      pending.add(taken);
    },

    async idle(): Promise<void> {
      await working.idle();
      await Promise.all(pending);
    },

    /** Stops in the middle: another collector, or this one's next life, goes on. */
    async stop(): Promise<void> {
      abort.abort(new Error("the collector stops"));
      await working.idle();
      await Promise.all(pending);
    },
  };
}

export type Canaries = ReturnType<typeof createCanaries>;
