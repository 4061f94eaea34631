import type { Koffi } from "../koffi.ts";
import { keyCalls } from "./advapi.ts";
import { valueTypes } from "./registry.ts";
import { serviceName } from "./service.ts";

/** Values of winsvc.h. */
const connectToManager = 0x1;
/** Change and query its settings, and start it, which a recovery action needs. */
const serviceAccess = 0x1 | 0x2 | 0x10;
const info = { failureActions: 2, delayedAutoStart: 3, failureActionsFlag: 4, preshutdown: 7 } as const;
const restart = 1;
/** After the first, the second and every further failure. */
const restartAfterMs = [60_000, 300_000, 900_000] as const;
/** Without a failure for a day the count begins anew. */
const resetSeconds = 86_400;
const preshutdownMs = 10_000;
const noChange = 0xffffffff;

/**
 * What the installer's tables cannot say of the service: what to do when it fails, that it starts after everything that
 * somebody waits for, and how long it may take when the machine goes down. Said at each start, so that a repair is not
 * needed for it.
 * @returns what the system refused, in words.
 */
export function settleService(koffi: Koffi): string[] {
  const advapi = koffi.load("advapi32.dll");
  const openManager = advapi.func("__stdcall", "OpenSCManagerW", "intptr", ["void *", "void *", "uint32"]);
  const openService = advapi.func("__stdcall", "OpenServiceW", "intptr", ["intptr", "str16", "uint32"]);
  const change = advapi.func("__stdcall", "ChangeServiceConfig2W", "int32", ["intptr", "uint32", "void *"]);
  const configure = advapi.func("__stdcall", "ChangeServiceConfigW", "int32", [
    "intptr",
    "uint32",
    "uint32",
    "uint32",
    "str16",
    ...Array<string>(6).fill("void *"),
  ]);
  const close = advapi.func("__stdcall", "CloseServiceHandle", "int32", ["intptr"]);
  const actionType = koffi.struct({ type: "uint32", delay: "uint32" });
  const failureType = koffi.struct({
    resetSeconds: "uint32",
    rebootMessage: "str16",
    command: "str16",
    count: "uint32",
    actions: koffi.pointer(actionType),
  });
  const flagType = koffi.struct({ value: "uint32" });
  const refused: string[] = [];
  const manager = openManager(null, null, connectToManager);
  if (BigInt(manager) === 0n) return ["the service manager cannot be opened"];
  const service = openService(manager, serviceName, serviceAccess);
  if (BigInt(service) === 0n) refused.push("the service's settings cannot be opened");
  else {
    const actions = restartAfterMs.map((delay) => ({ type: restart, delay }));
    const settings: [string, number, unknown][] = [
      [
        "recovery actions",
        info.failureActions,
        koffi.as(
          { resetSeconds, rebootMessage: null, command: null, count: actions.length, actions },
          koffi.pointer(failureType),
        ),
      ],
      // Also when it ends by itself with an error, not only when it crashes.
      ["recovery after an error", info.failureActionsFlag, koffi.as({ value: 1 }, koffi.pointer(flagType))],
      ["delayed start", info.delayedAutoStart, koffi.as({ value: 1 }, koffi.pointer(flagType))],
      ["time to shut down", info.preshutdown, koffi.as({ value: preshutdownMs }, koffi.pointer(flagType))],
    ];
    // In quotes: of a path with a space, somebody else's program could stand where it is first cut.
    const command = `"${process.execPath}" service`;
    if (configure(service, noChange, noChange, noChange, command, ...Array<null>(6).fill(null)) === 0)
      refused.push("path");
    for (const [what, level, value] of settings) if (change(service, level, value) === 0) refused.push(what);
    close(service);
  }
  close(manager);
  return refused;
}

const keySetValue = 0x0002;

/** From its next start on the service sees these variables empty, whatever the machine's environment says. */
export function emptyVariables(koffi: Koffi, names: readonly string[]): void {
  const keys = keyCalls(koffi);
  const set = koffi
    .load("advapi32.dll")
    .func("__stdcall", "RegSetValueExW", "int32", ["intptr", "str16", "uint32", "uint32", "void *", "uint32"]);
  const opened = keys.open(`HKLM\\SYSTEM\\CurrentControlSet\\Services\\${serviceName}`, keySetValue);
  if (!("handle" in opened)) return;
  const data = Buffer.from(`${names.map((name) => `${name}=\0`).join("")}\0`, "utf16le");
  set(opened.handle, "Environment", 0, valueTypes.multiText, data, data.length);
  keys.close(opened.handle);
}
