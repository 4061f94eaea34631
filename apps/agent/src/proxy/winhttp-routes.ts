import { spawn } from "node:child_process";
import { isSea } from "node:sea";
import type { PacFacts } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import { parsePacResult } from "@lynceus/proxy-settings/pac-result";
import { redactProxyList } from "@lynceus/proxy-settings/redact";
import type { WinHttpReply, WinHttpRequest } from "../platform/windows/winhttp-child.ts";
import { withDeadline } from "../probes/deadline.ts";

/** A detection that finds nothing takes WinHTTP some seconds. */
const timeoutMs = 20_000;
const maxReplyBytes = 4 * 1024 * 1024;

/** Asks WinHTTP in a child process. Null: it gave no answer; why is for the observation. Rejects only when we stop. */
export type AskWinHttp = (
  request: WinHttpRequest,
  signal: AbortSignal,
) => Promise<WinHttpReply | { readonly why: string }>;

function isReply(value: unknown, count: number): value is WinHttpReply {
  if (typeof value !== "object" || value === null || !("answers" in value) || !("dhcpUrl" in value)) return false;
  const { answers, dhcpUrl } = value;
  return (
    (dhcpUrl === null || typeof dhcpUrl === "string") &&
    Array.isArray(answers) &&
    answers.length === count &&
    answers.every(
      (one: unknown) =>
        typeof one === "object" &&
        one !== null &&
        ("list" in one ? typeof one.list === "string" : "error" in one && typeof one.error === "string"),
    )
  );
}

function runChild(request: WinHttpRequest, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const program = isSea() ? [] : [process.argv[1] ?? ""];
    const child = spawn(process.execPath, [...program, "winhttp-child"], {
      env: { SystemRoot: process.env.SystemRoot, TEMP: process.env.TEMP },
      stdio: ["pipe", "pipe", "ignore"],
      windowsHide: true,
    });
    let output = "";
    const end = (act: () => void) => {
      signal.removeEventListener("abort", onAbort);
      child.kill("SIGKILL");
      act();
    };
    const onAbort = () => end(() => reject(signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    child.on("error", (error) => end(() => reject(error)));
    child.stdin.on("error", () => {});
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.length > maxReplyBytes) end(() => reject(new Error("the answer is too long")));
    });
    child.on("close", (code) => end(() => (code === 0 ? resolve(output) : reject(new Error(`ended with ${code}`)))));
    child.stdin.end(JSON.stringify(request));
  });
}

/** WinHTTP of this machine, asked in a process of its own, which is killed when it is late. */
export const askWinHttp: AskWinHttp = async (request, signal) => {
  try {
    const reply: unknown = JSON.parse(await withDeadline(timeoutMs, signal, (limited) => runChild(request, limited)));
    return isReply(reply, request.urls.length) ? reply : { why: "no answer" };
  } catch (error) {
    signal.throwIfAborted();
    return { why: (error instanceof Error ? error.message : String(error)).slice(0, 256) };
  }
};

/** Where two results lead: a script's second choice hardly ever counts (domain 4.6). */
function firstWay(list: string): string {
  const first = parsePacResult(list)[0];
  if (first?.kind !== "proxy") return "direct";
  return `${first.proxy.host.toLowerCase()}:${first.proxy.port}`;
}

/**
 * What WinHTTP says beside our own evaluation, as it is told (domain 4.6).
 * @param own result of our evaluation for the same address; null where it has none.
 */
export function winHttpFacts(
  answer: WinHttpReply["answers"][number] | null,
  why: string | null,
  own: string | null,
): NonNullable<PacFacts["winhttp"]> {
  if (!answer?.ok) return { list: null, agrees: null, error: (answer?.error ?? why ?? "not asked").slice(0, 256) };
  return {
    list: redactProxyList(answer.list).slice(0, limits.textChars),
    agrees: own === null ? null : firstWay(own) === firstWay(answer.list),
    error: null,
  };
}
