import type { Koffi } from "../koffi.ts";

/** Full control for SYSTEM and Administrators, handed down to what is made inside; nobody else, nothing inherited. */
export const privateAccess = "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";
const securityDescriptorRevision = 1;
const daclInformation = 0x4;
/** Else what the parent directory hands down would still apply. */
const protectedDacl = 0x80000000;

/** Gives a file or directory this access list, in Windows' own notation (SDDL). @throws Error with the system's code. */
export function setAccess(koffi: Koffi, path: string, sddl: string): void {
  const advapi = koffi.load("advapi32.dll");
  const kernel32 = koffi.load("kernel32.dll");
  const convert = advapi.func("__stdcall", "ConvertStringSecurityDescriptorToSecurityDescriptorW", "int32", [
    "str16",
    "uint32",
    koffi.out(koffi.pointer("intptr")),
    "void *",
  ]);
  const set = advapi.func("__stdcall", "SetFileSecurityW", "int32", ["str16", "uint32", "intptr"]);
  const free = kernel32.func("__stdcall", "LocalFree", "intptr", ["intptr"]);
  const lastError = kernel32.func("__stdcall", "GetLastError", "uint32", []);
  const out: (number | bigint)[] = [0];
  if (convert(sddl, securityDescriptorRevision, out, null) === 0)
    throw new Error(`Windows does not understand the access list "${sddl}" (error ${lastError()})`);
  const ok = set(path, daclInformation | protectedDacl, out[0]);
  const code = lastError();
  free(out[0]);
  if (ok === 0) throw new Error(`the access list of ${path} cannot be set (error ${code})`);
}
