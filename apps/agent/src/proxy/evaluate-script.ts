import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { isSea } from "node:sea";
import { fileURLToPath } from "node:url";
import type { ProbeContext } from "../probes/context.ts";
import { withDeadline } from "../probes/deadline.ts";
import type { PacAnswer, PacCall } from "./pac-engine.ts";

/** What the child is told, as JSON on its stdin. */
export interface PacChildRequest {
  readonly script: string;
  readonly calls: readonly PacCall[];
  readonly budgetMs: number;
  readonly myIpAddress: string;
  readonly dnsServers: readonly string[] | null;
}

/** Bytes of an answer: hundreds of results of some kilobytes. */
const maxAnswerBytes = 4 * 1024 * 1024;
const childMemoryMb = 64;

/**
 * The single executable is its own child; a bundle has one beside it; from the source tree the child runs through tsx.
 */
function childCommand(): { args: string[]; cwd: string } {
  if (isSea()) return { args: ["pac-child"], cwd: tmpdir() };
  const here = import.meta.url;
  const source = here.endsWith(".ts");
  const file = fileURLToPath(new URL(source ? "./pac-child-main.ts" : "./pac-child.js", here));
  const memory = `--max-old-space-size=${childMemoryMb}`;
  return { args: [memory, ...(source ? ["--import", "tsx"] : []), file], cwd: dirname(file) };
}

function runChild(request: PacChildRequest, evaluationMs: number, signal: AbortSignal) {
  return new Promise<string>((resolve, reject) => {
    const { args, cwd } = childCommand();
    const child = spawn(process.execPath, args, {
      cwd,
      // Nothing of ours: no proxy variables, no NODE_OPTIONS, no secrets.
      env: process.platform === "win32" ? { SystemRoot: process.env.SystemRoot } : {},
      stdio: ["pipe", "pipe", "ignore"],
      windowsHide: true,
    });
    let output = "";
    let evaluation: NodeJS.Timeout | undefined;
    const end = (act: () => void) => {
      clearTimeout(evaluation);
      signal.removeEventListener("abort", onAbort);
      child.kill("SIGKILL");
      act();
    };
    const onAbort = () => end(() => reject(signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    child.on("error", (error) => end(() => reject(error)));
    child.stdin.on("error", () => {});
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const wasReady = output.includes("\n");
      output += text;
      if (output.length > maxAnswerBytes) return end(() => reject(new Error("the script's answer is too long")));
      if (wasReady || !output.includes("\n")) return;
      // The script's own time counts from here, so that a busy machine does not condemn it.
      evaluation = setTimeout(() => end(() => reject(new Error("the script ran too long"))), evaluationMs);
      child.stdin.end(JSON.stringify(request));
    });
    child.on("close", (code, killedBy) =>
      end(() =>
        code === 0
          ? resolve(output.slice(output.indexOf("\n") + 1))
          : reject(new Error(`the script's process ended with ${killedBy ?? code}, as when it needs too much memory`)),
      ),
    );
  });
}

function isAnswers(value: unknown, count: number): value is PacAnswer[] {
  return (
    Array.isArray(value) &&
    value.length === count &&
    value.every(
      (one: unknown) =>
        typeof one === "object" && one !== null && ("result" in one ? typeof one.result === "string" : "why" in one),
    )
  );
}

/**
 * Evaluates a proxy script in a child process of its own: short-lived, killed when late, without our environment and,
 * where we are root, without root. A script that loops, throws or eats memory is an answer with `ok: false`. Rejects
 * only when the agent stops.
 */
export async function evaluateScript(
  script: string,
  calls: readonly PacCall[],
  myIpAddress: string,
  ctx: ProbeContext,
): Promise<PacAnswer[]> {
  if (calls.length === 0) return [];
  const budgetMs = ctx.timeouts.pacEval;
  // The engine itself ends a script by processor time; this ends one that the engine cannot, by the clock.
  const evaluationMs = 10 * budgetMs + 2 * ctx.timeouts.dns;
  const request = { script, calls, budgetMs, myIpAddress, dnsServers: ctx.resolver.servers };
  try {
    const text = await withDeadline(ctx.timeouts.childStart + evaluationMs, ctx.signal, (signal) =>
      runChild(request, evaluationMs, signal),
    );
    const answers: unknown = JSON.parse(text);
    if (!isAnswers(answers, calls.length)) throw new Error("the script's process gave no answer");
    return answers;
  } catch (error) {
    ctx.signal.throwIfAborted();
    const why = (error instanceof Error ? error.message : String(error)).slice(0, 512);
    return calls.map(() => ({ ok: false, why }));
  }
}
