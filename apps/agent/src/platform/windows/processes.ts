import { basename } from "node:path";
import type { Koffi } from "../koffi.ts";

const snapshotOfProcesses = 2;
const synchronize = 0x0010_0000;

/** @returns numbers of the processes of a program, such as `lync.exe`; null where the system does not list them. */
export function processList(koffi: Koffi): (program: string) => number[] | null {
  const kernel32 = koffi.load("kernel32.dll");
  const entry = koffi.struct({
    dwSize: "uint32",
    cntUsage: "uint32",
    th32ProcessID: "uint32",
    th32DefaultHeapID: "uintptr",
    th32ModuleID: "uint32",
    cntThreads: "uint32",
    th32ParentProcessID: "uint32",
    pcPriClassBase: "int32",
    dwFlags: "uint32",
    szExeFile: koffi.array("uint16", 260, "Array"),
  });
  const snapshot = kernel32.func("__stdcall", "CreateToolhelp32Snapshot", "intptr", ["uint32", "uint32"]);
  const inoutEntry = koffi.inout(koffi.pointer(entry));
  const first = kernel32.func("__stdcall", "Process32FirstW", "int32", ["intptr", inoutEntry]);
  const next = kernel32.func("__stdcall", "Process32NextW", "int32", ["intptr", inoutEntry]);
  const close = kernel32.func("__stdcall", "CloseHandle", "int32", ["intptr"]);
  return (program) => {
    const handle = snapshot(snapshotOfProcesses, 0);
    if (BigInt(handle) === -1n) return null;
    const pids: number[] = [];
    try {
      const one = { dwSize: koffi.sizeof(entry), th32ProcessID: 0, szExeFile: [] as number[] };
      for (let more = first(handle, one); more !== 0; more = next(handle, one)) {
        const end = one.szExeFile.indexOf(0);
        const name = String.fromCharCode(...one.szExeFile.slice(0, end < 0 ? undefined : end));
        if (name.toLowerCase() === program.toLowerCase()) pids.push(one.th32ProcessID);
        one.dwSize = koffi.sizeof(entry);
      }
      return pids;
    } finally {
      close(handle);
    }
  };
}

/**
 * Waits until no other process of this executable is there. The service manager calls a service stopped a moment before
 * its process has ended, and a file that runs cannot be removed.
 * @param timeoutMs after which whoever still runs is let be: somebody may have a `diagnose` open.
 */
export function awaitOthersEnd(koffi: Koffi, timeoutMs: number): void {
  const kernel32 = koffi.load("kernel32.dll");
  const open = kernel32.func("__stdcall", "OpenProcess", "intptr", ["uint32", "int32", "uint32"]);
  const wait = kernel32.func("__stdcall", "WaitForSingleObject", "uint32", ["intptr", "uint32"]);
  const close = kernel32.func("__stdcall", "CloseHandle", "int32", ["intptr"]);
  const until = performance.now() + timeoutMs;
  const others = processList(koffi)(basename(process.execPath)) ?? [];
  for (const pid of others.filter((pid) => pid !== process.pid)) {
    const handle = open(synchronize, 0, pid);
    if (BigInt(handle) === 0n) continue;
    wait(handle, Math.max(0, Math.round(until - performance.now())));
    close(handle);
  }
}
