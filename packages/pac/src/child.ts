import { Resolver } from "node:dns";
import { lookup } from "node:dns/promises";
import { runScript } from "./engine.ts";
import type { PacRequest } from "./sandbox.ts";
import { limitMemory } from "./wasm-memory.ts";

/*
 * The process in which other people's proxy scripts run: no environment, no arguments, no privileges, little memory.
 * One JSON request on stdin, one JSON answer on stdout, then it ends. Its parent kills it when it is late.
 */

/** `nobody`, where the system has no other idea. */
const nobody = 65_534;
const memoryBytes = 48 * 1024 * 1024;

function dropPrivileges(): void {
  if (process.getuid?.() !== 0) return;
  process.setgroups?.([]);
  process.setgid?.(nobody);
  process.setuid?.(nobody);
}

function resolveWith({ dnsServers: servers, suffixes = [] }: PacRequest): (name: string) => Promise<string | null> {
  if (!servers)
    return (name) =>
      lookup(name, { family: 4 }).then(
        ({ address }) => address,
        () => null,
      );
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers(servers);
  const ask = (name: string) =>
    new Promise<string | null>((resolve) =>
      resolver.resolve4(name, (error, addresses) => resolve(error ? null : (addresses[0] ?? null))),
    );
  return async (name) => {
    if (!name.includes("."))
      for (const suffix of suffixes) {
        const found = await ask(`${name}.${suffix}`);
        if (found !== null) return found;
      }
    return ask(name);
  };
}

/** Milliseconds of processor time: on a busy machine a good script would else be late through no fault of its own. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Answers the one request of stdin and ends the process.
 * @param engine the bytes of quickjs.wasm, read while we still may.
 */
export async function pacChild(engine: Uint8Array): Promise<void> {
  const wasm = limitMemory(engine, memoryBytes);
  dropPrivileges();
  process.stdout.write("ready\n");
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const request = JSON.parse(Buffer.concat(chunks).toString("utf8")) as PacRequest;
  const answers = await runScript(request.script, request.calls, {
    budgetMs: request.budgetMs,
    myIpAddress: request.myIpAddress,
    resolve: resolveWith(request),
    cpuTime,
    wasm,
  });
  process.stdout.write(JSON.stringify(answers), () => process.exit(0));
}
