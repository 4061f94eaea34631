/// <reference path="./postject.d.ts" />
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build, type Metafile } from "esbuild";
import { inject } from "postject";
import { fetched, packages } from "./fetched.ts";
import { agent, version } from "./layout.ts";

const require = createRequire(import.meta.url);
/** What the Node executable looks for to know that it carries a program. */
const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/** The agent and everything it needs as one CommonJS file, which is what a single executable runs. */
export async function bundle(file: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: agent,
    entryPoints: ["src/main.ts"],
    outfile: file,
    bundle: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
    define: { LYNCEUS_AGENT_VERSION: JSON.stringify(version), "import.meta.url": '"file:///lynceus-agent"' },
    external: ["bufferutil", "utf-8-validate", "koffi"],
  });
  return metafile;
}

const hashOf = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

/**
 * What the executable's Node is started with. Of 20 MB at rest without them they save 2.5.
 * - Node's own roots are never parsed: the trust is the system's (domain 5.0 rule 2).
 * - Nobody opens a debugger by a signal.
 * - One thread beside the main one: there is nothing to do in parallel.
 * - Nothing runs often enough to be worth machine code, nor is compiled before it runs.
 */
const nodeOptions = [
  "--use-openssl-ca",
  "--disable-sigusr1",
  "--v8-pool-size=1",
  "--no-opt",
  "--no-sparkplug",
  "--max-lazy",
];

/** The blob that is put into an executable: program, script engine, and the addon of its system. */
function blob(working: string, program: string, addon: string): string {
  const configuration = join(working, "sea.json");
  const output = join(working, "sea.blob");
  // The blob keeps the path as it is written here: a relative one, so that it is the same everywhere.
  copyFileSync(program, join(working, "lynceus-agent.cjs"));
  writeFileSync(
    configuration,
    JSON.stringify({
      main: "lynceus-agent.cjs",
      output,
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      // A cache is of one processor's and system's making: neither the same bytes everywhere nor of use to Windows.
      useCodeCache: false,
      execArgv: nodeOptions,
      // Neither NODE_OPTIONS nor an argument adds to these.
      execArgvExtension: "none",
      assets: {
        "koffi.node": addon,
        "quickjs.wasm": join(dirname(require.resolve("quickjs-wasi")), "..", "quickjs.wasm"),
      },
    }),
  );
  // The blob's format is that of the Node line which reads it.
  execFileSync(join(fetched(packages.nodeLinux), "bin/node"), ["--experimental-sea-config", configuration], {
    cwd: working,
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env.PATH },
  });
  return output;
}

/** @returns the path of `lynceus-agent`. */
export async function linuxExecutable(working: string, program: string): Promise<string> {
  const folder = join(working, "linux");
  mkdirSync(folder, { recursive: true });
  const executable = join(folder, "lynceus-agent");
  copyFileSync(join(fetched(packages.nodeLinux), "bin/node"), executable);
  // Symbols are a fifth of it and serve nobody on an endpoint.
  execFileSync("strip", ["--strip-unneeded", executable]);
  const addon = join(fetched(packages.koffiLinux), "linux_x64/koffi.node");
  const data = readFileSync(blob(folder, program, addon));
  await inject(executable, "NODE_SEA_BLOB", data, { sentinelFuse: fuse });
  chmodSync(executable, 0o755);
  return executable;
}

/** Offset of the PE header's Subsystem field from the start of the optional header. */
const subsystemOffset = 68;
const subsystemGui = 2;

/** Without a console: a service or a background program must never flash a window. */
function makeGui(executable: string): void {
  const bytes = readFileSync(executable);
  const header = bytes.readUInt32LE(0x3c);
  if (bytes.toString("latin1", header, header + 4) !== "PE\0\0") throw new Error(`${executable} is no PE executable`);
  bytes.writeUInt16LE(subsystemGui, header + 24 + subsystemOffset);
  writeFileSync(executable, bytes);
}

/** @returns the path of `lynceus-agent.exe`, not signed. */
export async function windowsExecutable(working: string, program: string): Promise<string> {
  const folder = join(working, "windows");
  mkdirSync(folder, { recursive: true });
  const executable = join(folder, "lynceus-agent.exe");
  // Node's own signature would not hold for what it becomes.
  execFileSync(
    "osslsigncode",
    ["remove-signature", "-in", join(fetched(packages.nodeWindows), "bin/node.exe"), "-out", executable],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const addon = join(fetched(packages.koffiWindows), "win32_x64/koffi.node");
  const data = readFileSync(blob(folder, program, addon));
  await inject(executable, "NODE_SEA_BLOB", data, { sentinelFuse: fuse });
  makeGui(executable);
  return executable;
}

export { hashOf };
