/** How a command ends, for scripts (docs/command-line.md). */
export const exitCodes = {
  done: 0,
  /** What was asked for failed, is not there, or is not well. */
  failed: 1,
  /** No such command, option or value. */
  usage: 2,
  /** Nobody is logged in, or the token may not do this. */
  access: 3,
  /** Nobody answers, or not in time. */
  unreachable: 4,
  /** Somebody changed it meanwhile. */
  conflict: 5,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends a command. One line: the value, the rule, an example; empty where all was said already. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly exitCode: ExitCode;
  constructor(message: string, exitCode: ExitCode = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

export const usageProblem = (message: string): Problem => new Problem(message, exitCodes.usage);
