import { type JSValueHandle, QuickJS } from "quickjs-wasi";
import { pacFunctions } from "./functions.ts";

/** One question to a script. */
export interface PacCall {
  readonly url: string;
  readonly host: string;
  /** Of another machine than the world's: what it has, and what it is known to resolve (null: no such name). */
  readonly myIpAddress?: string;
  readonly names?: Readonly<Record<string, string | null>>;
}

/** The script's answer to one call, or why there is none. */
export type PacAnswer = { readonly ok: true; readonly result: string } | { readonly ok: false; readonly why: string };

export interface PacWorld {
  /** Milliseconds of processor time that the script may take to load, and again for each call. */
  readonly budgetMs: number;
  readonly myIpAddress: string;
  /** First IPv4 address of a name, or null. */
  readonly resolve: (name: string) => Promise<string | null>;
  /** The engine with its memory bounded; the package's own, unbounded, when absent. */
  readonly wasm?: Uint8Array;
  /** Milliseconds of processor time used so far. */
  readonly cpuTime: () => number;
}

/** A script that keeps asking new names is stopped: each round costs a DNS round trip. */
const maxRounds = 8;
const maxNames = 64;
const maxResultChars = 4096;

const messageOf = (error: unknown, timedOut: boolean): string => {
  if (timedOut) return "the script ran too long";
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 512);
};

interface Round {
  readonly answers: PacAnswer[];
  /** Names whose address the script wanted and did not have yet. */
  readonly missing: Set<string>;
}

async function runRound(
  script: string,
  calls: readonly PacCall[],
  known: ReadonlyMap<string, string | null>,
  world: PacWorld,
): Promise<Round> {
  const missing = new Set<string>();
  let current: PacCall | null = null;
  let deadline = 0;
  let timedOut = false;
  const allow = () => {
    deadline = world.cpuTime() + world.budgetMs;
  };
  const vm = await QuickJS.create({
    interruptHandler: () => {
      timedOut ||= world.cpuTime() > deadline;
      return timedOut;
    },
    ...(world.wasm ? { wasm: world.wasm } : {}),
  });
  const answers: PacAnswer[] = [];
  const fail = (why: string) => {
    while (answers.length < calls.length) answers.push({ ok: false, why });
    return { answers, missing };
  };
  const provide = (name: string, fn: (...args: JSValueHandle[]) => JSValueHandle) =>
    vm.newFunction(name, fn).consume((handle) => vm.setProp(vm.global, vm.newString(name), handle));
  try {
    provide("dnsResolve", (argument) => {
      const name = argument === undefined ? "" : String(vm.dump(argument)).toLowerCase();
      if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return vm.newString(name);
      if (name === "" || name.length > 253) return vm.null;
      const own = current?.names;
      const address = own && Object.hasOwn(own, name) ? own[name] : known.get(name);
      // Unknown for now: what the script answers is thrown away and it is asked again when the address is there.
      if (address === undefined && missing.size < maxNames) missing.add(name);
      return typeof address === "string" ? vm.newString(address) : vm.null;
    });
    provide("myIpAddress", () => vm.newString(current?.myIpAddress ?? world.myIpAddress));
    allow();
    vm.evalCode(pacFunctions, "pac-functions").dispose();
    vm.evalCode(script, "proxy.pac").dispose();
    const find = vm.getProp(vm.global, vm.newString("FindProxyForURL"));
    if (vm.typeof(find) !== "function") return fail("the script defines no FindProxyForURL");
    for (const call of calls) {
      const { url, host } = call;
      current = call;
      allow();
      try {
        const value = vm.callFunction(find, vm.undefined, vm.newString(url), vm.newString(host));
        const result = value.consume((handle) => vm.dump(handle));
        // Empty and null mean direct (domain 4.6).
        if (result === null || result === undefined) answers.push({ ok: true, result: "" });
        else if (typeof result === "string") answers.push({ ok: true, result: result.slice(0, maxResultChars) });
        else answers.push({ ok: false, why: `FindProxyForURL returned a ${typeof result}, no text` });
      } catch (error) {
        answers.push({ ok: false, why: messageOf(error, timedOut) });
        // One loop suffices: the other calls would take their whole time as well.
        if (timedOut) return fail("the script ran too long");
      }
    }
    return { answers, missing };
  } catch (error) {
    return fail(messageOf(error, timedOut));
  } finally {
    vm.dispose();
  }
}

/**
 * Evaluates a script for each call, in an engine of its own with nothing of ours in it but DNS and the machine's
 * address. Names are looked up between rounds, so that the script itself never waits. `FindProxyForURLEx` is not asked.
 * Never rejects for anything the script does; the process around it bounds what the engine cannot.
 */
export async function runScript(script: string, calls: readonly PacCall[], world: PacWorld): Promise<PacAnswer[]> {
  const known = new Map<string, string | null>();
  for (let round = 1; ; round++) {
    const { answers, missing } = await runRound(script, calls, known, world);
    if (missing.size === 0) return answers;
    if (round === maxRounds) return calls.map(() => ({ ok: false, why: "the script asks for ever more names" }));
    await Promise.all([...missing].map(async (name) => known.set(name, await world.resolve(name))));
  }
}
