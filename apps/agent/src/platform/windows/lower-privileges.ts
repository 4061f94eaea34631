import type { Koffi } from "../koffi.ts";

/** Values of winnt.h. */
const adjustPrivileges = 0x20;
const adjustDefault = 0x80;
const query = 0x8;
const tokenIntegrityLevel = 25;
const integrity = 0x20;
/** "Low Mandatory Level": may write nowhere that matters. */
const lowLevel = "S-1-16-4096";

/**
 * Gives up what this process may do beyond computing: all privileges, and writing to anything of ordinary integrity.
 * There is no way back. @returns what the system refused, in words.
 */
export function lowerPrivileges(koffi: Koffi): string[] {
  const advapi = koffi.load("advapi32.dll");
  const kernel32 = koffi.load("kernel32.dll");
  const self = kernel32.func("__stdcall", "GetCurrentProcess", "intptr", []);
  const outHandle = koffi.out(koffi.pointer("intptr"));
  const openToken = advapi.func("__stdcall", "OpenProcessToken", "int32", ["intptr", "uint32", outHandle]);
  const adjust = advapi.func("__stdcall", "AdjustTokenPrivileges", "int32", [
    "intptr",
    "int32",
    "void *",
    "uint32",
    "void *",
    "void *",
  ]);
  const toSid = advapi.func("__stdcall", "ConvertStringSidToSidW", "int32", ["str16", outHandle]);
  const setToken = advapi.func("__stdcall", "SetTokenInformation", "int32", ["intptr", "int32", "void *", "uint32"]);
  const labelType = koffi.struct({ sid: "intptr", attributes: "uint32" });
  const token: (number | bigint)[] = [0];
  if (openToken(self(), adjustPrivileges | adjustDefault | query, token) === 0)
    return ["its own token cannot be opened"];
  const refused: string[] = [];
  if (adjust(token[0], 1, null, 0, null, null) === 0) refused.push("privileges");
  const sid: (number | bigint)[] = [0];
  const label = () => koffi.as({ sid: sid[0], attributes: integrity }, koffi.pointer(labelType));
  if (toSid(lowLevel, sid) === 0 || setToken(token[0], tokenIntegrityLevel, label(), koffi.sizeof(labelType)) === 0)
    refused.push("integrity level");
  return refused;
}
