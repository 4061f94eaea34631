import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";
import type { Clock } from "./clock.ts";

export type LogLevel = "info" | "warn" | "error";

export interface Log {
  (level: LogLevel, message: string, detail?: Readonly<Record<string, unknown>>): void;
  close(): void;
}

/**
 * A log of JSON lines, bounded: beyond `maxBytes` the file becomes `agent.log.1` and so on, and the oldest goes.
 * JSON keeps hostile text (a host name with line breaks) on its own line. A full disk loses lines and nothing else.
 * @param echo also gets each line, for `--log-stdout`.
 */
export function openLog(options: {
  readonly path: string;
  readonly clock: Pick<Clock, "now">;
  readonly maxBytes?: number;
  /** Rotated files kept beside the current one. */
  readonly keep?: number;
  readonly echo?: (line: string) => void;
}): Log {
  const { path, clock, echo, maxBytes = 1024 * 1024, keep = 2 } = options;
  let descriptor = openSync(path, "a", 0o600);
  let bytes = fstatSync(descriptor).size;

  function rotate(): void {
    closeSync(descriptor);
    for (let n = keep; n >= 1; n--) {
      try {
        renameSync(n === 1 ? path : `${path}.${n - 1}`, `${path}.${n}`);
      } catch {
        // There are not as many yet.
      }
    }
    descriptor = openSync(path, keep > 0 ? "a" : "w", 0o600);
    bytes = fstatSync(descriptor).size;
  }

  const write = (level: LogLevel, message: string, detail: Readonly<Record<string, unknown>> = {}) => {
    const line = `${JSON.stringify({ time: new Date(clock.now()).toISOString(), level, message, ...detail })}\n`;
    echo?.(line);
    if (descriptor < 0) return;
    try {
      if (bytes > 0 && bytes + line.length > maxBytes) rotate();
      bytes += writeSync(descriptor, line);
    } catch {
      // There is nowhere to say it.
    }
  };
  return Object.assign(write, {
    close() {
      if (descriptor >= 0) closeSync(descriptor);
      descriptor = -1;
    },
  });
}
