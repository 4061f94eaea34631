import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { isSea } from "node:sea";
import { fileURLToPath } from "node:url";
import type { PacAnswer, PacCall } from "./engine.ts";

/** What the child is told, as JSON on its stdin. */
export interface PacRequest {
  readonly script: string;
  readonly calls: readonly PacCall[];
  /** Milliseconds of processor time for each call. */
  readonly budgetMs: number;
  /** Of calls that name no other. */
  readonly myIpAddress: string;
  /** Ask these servers instead of the system's resolver. */
  readonly dnsServers: readonly string[] | null;
  /** Domains below which a name without a dot is looked for, where `dnsServers` are asked. */
  readonly suffixes?: readonly string[];
}

export interface SandboxLimits {
  /** Milliseconds until the child is up; generous, because a busy machine starts slowly. */
  readonly startMs: number;
  /** Milliseconds by the clock from then on: ends what the engine itself cannot end by processor time. */
  readonly evaluationMs: number;
  readonly signal: AbortSignal;
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
  const file = fileURLToPath(new URL(source ? "./child-main.ts" : "./pac-child.js", here));
  const memory = `--max-old-space-size=${childMemoryMb}`;
  return { args: [memory, ...(source ? ["--import", "tsx"] : []), file], cwd: dirname(file) };
}

function runChild(request: PacRequest, { startMs, evaluationMs, signal }: SandboxLimits) {
  return new Promise<string>((resolve, reject) => {
    signal.throwIfAborted();
    const { args, cwd } = childCommand();
    const child = spawn(process.execPath, args, {
      cwd,
      // Nothing of ours: no proxy variables, no NODE_OPTIONS, no secrets.
      env: process.platform === "win32" ? { SystemRoot: process.env.SystemRoot } : {},
      stdio: ["pipe", "pipe", "ignore"],
      windowsHide: true,
    });
    let output = "";
    const end = (act: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      child.kill("SIGKILL");
      act();
    };
    const onAbort = () => end(() => reject(signal.reason));
    let timer = setTimeout(() => end(() => reject(new Error("the script's process did not start"))), startMs);
    signal.addEventListener("abort", onAbort, { once: true });
    child.on("error", (error) => end(() => reject(error)));
    child.stdin.on("error", () => {});
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const wasReady = output.includes("\n");
      output += text;
      if (output.length > maxAnswerBytes) return end(() => reject(new Error("the script's answer is too long")));
      if (wasReady || !output.includes("\n")) return;
      // The script's own time counts from here, so that a busy machine does not condemn it.
      clearTimeout(timer);
      timer = setTimeout(() => end(() => reject(new Error("the script ran too long"))), evaluationMs);
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
 * only when `limits.signal` aborts.
 */
export async function evaluateInSandbox(request: PacRequest, limits: SandboxLimits): Promise<PacAnswer[]> {
  if (request.calls.length === 0) return [];
  try {
    const answers: unknown = JSON.parse(await runChild(request, limits));
    if (!isAnswers(answers, request.calls.length)) throw new Error("the script's process gave no answer");
    return answers;
  } catch (error) {
    limits.signal.throwIfAborted();
    const why = (error instanceof Error ? error.message : String(error)).slice(0, 512);
    return request.calls.map(() => ({ ok: false, why }));
  }
}
