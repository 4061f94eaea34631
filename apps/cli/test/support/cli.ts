import { PassThrough, Readable, Writable } from "node:stream";
import type { Cli } from "../../src/cli.ts";
import { runProgram } from "../../src/program.ts";

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  readonly cwd?: string;
  readonly now?: number;
  readonly places?: Partial<Cli["places"]>;
  readonly interrupted?: AbortSignal;
  /** Called with all that was written so far. */
  readonly onOutput?: (stdout: string) => void;
}

/** Runs a command line as main.ts does, with streams of its own. */
export async function lynceus(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const said = { stdout: "", stderr: "" };
  const sink = (name: "stdout" | "stderr") =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        said[name] += chunk.toString();
        if (name === "stdout") options.onOutput?.(said.stdout);
        done();
      },
    });
  const code = await runProgram(
    {
      version: "0.1.0",
      env: options.env ?? {},
      cwd: options.cwd ?? process.cwd(),
      now: () => options.now ?? Date.now(),
      zone: "UTC",
      places: { collector: "/nowhere/main.js", dataDirectory: "/nowhere/.lynceus", ...options.places },
      stdin: options.stdin === undefined ? new PassThrough().end() : Readable.from([options.stdin]),
      stdout: sink("stdout"),
      stderr: sink("stderr"),
      interrupted: options.interrupted ?? new AbortController().signal,
    },
    args,
  );
  return { code, ...said };
}
