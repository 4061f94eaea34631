import type { LegacySettings, SettingsBlob, UserSettings } from "@lynceus/protocol/facts";
import type { InForce } from "@lynceus/proxy-settings/effective";
import type { WindowsMachine } from "../platform/windows/machine.ts";

/** Runs a program and resolves with its stdout. Rejects with the system's code when it cannot or may not run. */
export type RunCommand = (
  command: string,
  args: readonly string[],
  options: { readonly uid?: number; readonly gid?: number; readonly env: Readonly<Record<string, string>> },
) => Promise<string>;

/** What a source needs of the machine. */
export interface SourceContext {
  readonly platform: NodeJS.Platform;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** File of `--proxy-settings`: then nothing else is looked at. */
  readonly settingsFile: string | null;
  readonly run: RunCommand;
  /** Own uid, null on Windows. */
  readonly uid: number | null;
  /** On Windows: its registry and calls, or why they cannot be used. */
  readonly windows?: WindowsMachine | { readonly why: string } | null;
}

/** Settings of one user as one source has them. */
export interface UserReading {
  /** Who, in the source's own words; only its HMAC leaves the machine. */
  readonly user: string;
  readonly inForce: InForce;
  readonly legacy: LegacySettings | null;
  /** Windows alone: the blob, whether the legacy values contradict it, and what else was read of this user. */
  readonly blob?: SettingsBlob | null;
  readonly mismatch?: boolean;
  readonly windows?: UserSettings["windows"];
}

export interface SourceReading {
  readonly name: string;
  /** `read`, `absent`, `not on this system`, or what went wrong. */
  readonly outcome: string;
  readonly users: readonly UserReading[];
}

/** Reads one source. What is absent or broken is an outcome; it never rejects. */
export type ProxySource = (ctx: SourceContext) => Promise<SourceReading>;

/** The user as whom the agent itself runs. */
export const self = "self";
