import type { Koffi } from "../koffi.ts";
import { keyCalls, openRegistry } from "./advapi.ts";
import { decodeText, valueTypes } from "./registry.ts";

/** Where the installer leaves what it was told. */
export const setupKey = "HKLM\\SOFTWARE\\Lynceus\\Agent";

/** Names of the values, and the variables that the command line reads. */
const variables: Readonly<Record<string, string>> = {
  CollectorUrl: "LYNCEUS_COLLECTOR_URL",
  EnrollToken: "LYNCEUS_ENROLL_TOKEN",
  Proxy: "LYNCEUS_PROXY",
  Site: "LYNCEUS_SITE",
  Tags: "LYNCEUS_TAGS",
  AllowedSuffixes: "LYNCEUS_ALLOWED_SUFFIXES",
  AllowedPorts: "LYNCEUS_ALLOWED_PORTS",
  // As the installer knows it, which also removes what is there: the two must mean the same folder.
  ProgramData: "ProgramData",
};

/** What the installer was told, as variables. A value of a wrong type counts as not told. */
export function readSetup(koffi: Koffi): Record<string, string> {
  const read = openRegistry(koffi).values(setupKey);
  const told: Record<string, string> = {};
  if (!read.ok) return told;
  for (const [name, value] of read.value) {
    const variable = variables[name];
    if (variable !== undefined && value.type === valueTypes.text) told[variable] = decodeText(value.data);
  }
  return told;
}

const keySetValue = 0x0002;

/** Removes the enrolment token: it is of no use any more, and no secret to leave in a registry. */
export function forgetToken(koffi: Koffi): void {
  const keys = keyCalls(koffi);
  const remove = koffi.load("advapi32.dll").func("__stdcall", "RegDeleteValueW", "int32", ["intptr", "str16"]);
  const opened = keys.open(setupKey, keySetValue);
  if (!("handle" in opened)) return;
  remove(opened.handle, "EnrollToken");
  keys.close(opened.handle);
}
