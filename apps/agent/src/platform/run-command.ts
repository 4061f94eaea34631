import { execFile } from "node:child_process";
import type { RunCommand } from "../proxy/source.ts";

/** A desktop's settings service that does not answer must not hold up a cycle. */
const timeoutMs = 2_000;
const maxBytes = 256 * 1024;

/** Runs a program without a shell, without our environment, for at most two seconds. */
export const runCommand: RunCommand = (command, args, { env, uid, gid }) =>
  new Promise((resolve, reject) => {
    const options = {
      env: { ...env },
      timeout: timeoutMs,
      killSignal: "SIGKILL" as const,
      maxBuffer: maxBytes,
      encoding: "utf8" as const,
      windowsHide: true,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    };
    execFile(command, [...args], options, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
