import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fetched, packages } from "@lynceus/agent/packaging/fetched";
import { build } from "esbuild";

/*
 * Windows programs run under Wine (stack: Debian's wine 8, no screen). A prefix is a Windows of its own: registry,
 * drive C:, services. What Wine proves and what not is in docs/windows.md.
 */

/** Value of a registry value: REG_SZ, REG_DWORD, REG_BINARY, one of any type, or null to delete it. */
export type RegistryData = string | number | Uint8Array | { readonly type: number; readonly data: Uint8Array } | null;
/** Keys as in a .reg file, such as `HKEY_USERS\\S-1-5-21-…\\Software`; null deletes the key and all below. */
export type RegistryKeys = Readonly<Record<string, Readonly<Record<string, RegistryData>> | null>>;

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(",");
const quoted = (text: string) => `"${text.replace(/[\\"]/g, "\\$&")}"`;

function dataText(data: RegistryData): string {
  if (data === null) return "-";
  if (typeof data === "string") return quoted(data);
  if (typeof data === "number") return `dword:${data.toString(16).padStart(8, "0")}`;
  return data instanceof Uint8Array ? `hex:${hex(data)}` : `hex(${data.type.toString(16)}):${hex(data.data)}`;
}

/** The text of a .reg file. */
export function registryFile(keys: RegistryKeys): string {
  const lines = Object.entries(keys).flatMap(([key, values]) =>
    values === null
      ? [`[-${key}]`]
      : [
          `[${key}]`,
          ...Object.entries(values).map(([name, data]) => `${name === "" ? "@" : quoted(name)}=${dataText(data)}`),
        ],
  );
  return ["Windows Registry Editor Version 5.00", "", ...lines, ""].join("\r\n");
}

export interface Ended {
  readonly code: number;
  /** What it printed on stdout and stderr. */
  readonly output: string;
}

export interface Started {
  readonly process: ChildProcess;
  /** File of what it prints; that of the first program holds what Wine's services print too. */
  readonly log: string;
  readonly ended: Promise<Ended>;
}

export interface Wine {
  /** Directory of the prefix. */
  readonly prefix: string;
  /** Environment in which any program reaches this Windows. */
  readonly env: NodeJS.ProcessEnv;
  /** The path of a file of ours as Windows has it. */
  windowsPath(file: string): string;
  /** Directory of ours behind a path of drive C:. */
  unixPath(windowsPath: string): string;
  /** Runs a Windows program to its end, of at most `timeoutMs`. */
  run(program: string, args: readonly string[], options?: { cwd?: string; timeoutMs?: number }): Promise<Ended>;
  start(program: string, args: readonly string[], options?: { cwd?: string; env?: NodeJS.ProcessEnv }): Started;
  /** Writes keys and values as regedit does. @throws with what it said. */
  importRegistry(keys: RegistryKeys): Promise<void>;
  /** Ends every process of this Windows and removes it. */
  stop(): void;
}

/** Wine's starter says this where the new process died before its first instruction, which happens once in thousands. */
const notStarted = /^Application could not be started.*ShellExecuteEx failed: Internal error/s;
const startAttempts = 5;

/** The real node.exe for Windows of the line that the executable is built of. */
export const nodeExe = () => path.join(fetched(packages.nodeWindows), "bin", "node.exe");

/**
 * Makes a new Windows 10 in a directory of its own and keeps it running until `stop`, so that a hive that was written
 * stays loaded.
 * @param inNamespace a network namespace in which all its programs run.
 * @throws where Wine is not installed.
 */
export function startWine(inNamespace: string | null = null): Wine {
  if (!existsSync("/usr/bin/wine")) throw new Error("wine is not installed; .ci/run lists the Debian packages");
  const prefix = mkdtempSync(path.join(tmpdir(), "lynceus-wine-"));
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: prefix,
    WINEPREFIX: path.join(prefix, "prefix"),
    WINEDEBUG: "-all",
    // No .NET, no browser: neither is installed nor wanted.
    WINEDLLOVERRIDES: "mscoree,mshtml=",
  };
  const wrapped = (command: string, args: readonly string[]): [string, string[]] =>
    inNamespace === null ? [command, [...args]] : ["ip", ["netns", "exec", inNamespace, command, ...args]];
  const now = (command: string, ...args: string[]) => {
    const [program, all] = wrapped(command, args);
    execFileSync(program, all, { env, stdio: "ignore", timeout: 120_000 });
  };
  // Wine's sockets are made by its server, so that is what has to be inside the namespace.
  mkdirSync(path.join(prefix, "prefix"));
  now("wineserver", "-p");
  now("wine", "wineboot", "-i");
  now("wine", "winecfg", "-v", "win10");

  function start(
    program: string,
    args: readonly string[],
    options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
  ): Started {
    // Under Wine a program cannot write into a pipe of ours.
    const log = path.join(prefix, `${randomUUID()}.log`);
    const output = openSync(log, "w");
    const [command, all] = wrapped("wine", [program, ...args]);
    const child = spawn(command, all, {
      env: { ...env, ...options.env },
      cwd: options.cwd,
      stdio: ["ignore", output, output],
    });
    closeSync(output);
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on("error", reject);
      // Ended by `stop`, its log is gone with the rest.
      const said = () => (existsSync(log) ? readFileSync(log, "utf8") : "");
      child.on("close", (code) => resolve({ code: code ?? -1, output: said() }));
    });
    return { process: child, log, ended };
  }

  async function runOnce(program: string, args: readonly string[], options: { cwd?: string; timeoutMs?: number }) {
    const started = start(program, args, options);
    const late = setTimeout(() => started.process.kill("SIGKILL"), options.timeoutMs ?? 120_000);
    try {
      return await started.ended;
    } finally {
      clearTimeout(late);
    }
  }

  async function run(program: string, args: readonly string[], options: { cwd?: string; timeoutMs?: number } = {}) {
    for (let attempt = 1; ; attempt++) {
      const ended = await runOnce(program, args, options);
      // Nothing of the program has run, so to start it again repeats nothing.
      if (attempt === startAttempts || ended.code === 0 || !notStarted.test(ended.output)) return ended;
      await pause(500);
    }
  }

  const drive = path.join(prefix, "prefix", "drive_c");
  return {
    prefix,
    env,
    windowsPath: (file) => `Z:${path.resolve(file).replaceAll("/", "\\")}`,
    unixPath: (windowsPath) => path.join(drive, ...windowsPath.replace(/^C:\\/i, "").split("\\")),
    run,
    start,
    async importRegistry(keys) {
      const file = path.join(prefix, `${randomUUID()}.reg`);
      writeFileSync(file, `\ufeff${registryFile(keys)}`, "utf16le");
      const { code, output } = await run("regedit", ["/S", `Z:${file.replaceAll("/", "\\")}`]);
      if (code !== 0) throw new Error(`regedit failed (${code}): ${output}`);
    },
    stop() {
      try {
        now("wineserver", "-k");
        now("wineserver", "-w");
      } finally {
        rmSync(prefix, { recursive: true, force: true });
      }
    },
  };
}

/** Copies koffi with its Windows addon to where a bundle in `directory` finds it. */
function stageKoffi(directory: string): void {
  const require = createRequire(import.meta.url);
  const from = path.dirname(require.resolve("koffi"));
  const to = path.join(directory, "node_modules");
  mkdirSync(to, { recursive: true });
  for (const name of ["package.json", "index.cjs", "src/koffi"]) {
    const filter = (file: string) => !/\.(?:cc|hh|inc|asm|S)$/.test(file);
    cpSync(path.join(from, name), path.join(to, "koffi", name), { recursive: true, filter });
  }
  cpSync(fetched(packages.koffiWindows), path.join(to, "@koromix", "koffi-win32-x64"), { recursive: true });
}

/** Bundles a module of ours for node.exe, with what it needs of Windows beside it. @returns its file. */
export async function bundleForWindows(entry: string, directory: string): Promise<string> {
  stageKoffi(directory);
  const outfile = path.join(directory, "main.mjs");
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    target: "node22",
    format: "esm",
    logLevel: "error",
    banner: {
      js: 'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);',
    },
    external: ["bufferutil", "utf-8-validate", "koffi"],
  });
  return outfile;
}
