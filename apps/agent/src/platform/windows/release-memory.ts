import type { Koffi } from "../koffi.ts";

/** Takes the process's pages out of its working set; those it needs come back, from memory as long as there is enough. */
export function memoryReleaser(koffi: Koffi): () => void {
  const kernel32 = koffi.load("kernel32.dll");
  const self = kernel32.func("__stdcall", "GetCurrentProcess", "intptr", []);
  const empty = kernel32.func("__stdcall", "K32EmptyWorkingSet", "int32", ["intptr"]);
  return () => void empty(self());
}
