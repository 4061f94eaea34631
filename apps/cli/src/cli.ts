import type { Readable, Writable } from "node:stream";

/** What a command is given of the world; main.ts makes the real one. */
export interface Cli {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What paths that are given are relative to. */
  readonly cwd: string;
  readonly now: () => number;
  /** IANA zone in which times are shown. */
  readonly zone: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Results, and nothing else. */
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  /** What is said to a person. */
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Where what stands beside this program is. */
  readonly places: {
    /** Program of the collector. */
    readonly collector: string;
    /** Data folder of `npm run up`. */
    readonly dataDirectory: string;
  };
  /** Ends what runs until somebody ends it. */
  readonly interrupted: AbortSignal;
}

/** Writes results, no faster than they are read. */
export async function write(cli: Cli, text: string): Promise<void> {
  if (cli.stdout.write(text)) return;
  await new Promise<void>((resolve) => {
    const go = () => {
      cli.stdout.off("drain", go).off("close", go);
      resolve();
    };
    cli.stdout.on("drain", go).on("close", go);
  });
}

/** One line to whoever looks on. */
export function say(cli: Cli, line: string): void {
  cli.stderr.write(`${line}\n`);
}
