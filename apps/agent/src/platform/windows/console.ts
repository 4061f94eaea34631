import { openSync, writeSync } from "node:fs";
import type { Koffi } from "../koffi.ts";

const attachParent = 0xffffffff;
const standardOutput = -11;

/**
 * The executable has no console of its own, so that the service never shows one. Started from a console it writes to
 * that one; where its output goes to a file or a pipe it leaves it there.
 * @returns what writes a text, or null where process.stdout is to be used.
 */
export function parentConsole(koffi: Koffi): ((text: string) => void) | null {
  const kernel32 = koffi.load("kernel32.dll");
  const standardHandle = kernel32.func("__stdcall", "GetStdHandle", "intptr", ["int32"]);
  const fileType = kernel32.func("__stdcall", "GetFileType", "uint32", ["intptr"]);
  const given = BigInt(standardHandle(standardOutput));
  // Redirected: 1 is a disk file, 3 a pipe.
  if (given > 0n && [1, 3].includes(fileType(given))) return null;
  const attach = kernel32.func("__stdcall", "AttachConsole", "int32", ["uint32"]);
  if (attach(attachParent) === 0) return null;
  try {
    const descriptor = openSync("\\\\.\\CONOUT$", "w");
    return (text) => void writeSync(descriptor, text.replace(/\r?\n/g, "\r\n"));
  } catch {
    return null;
  }
}
