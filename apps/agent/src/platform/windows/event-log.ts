import type { Koffi } from "../koffi.ts";

/** The source under which entries stand in the Application log; the installer registers it. */
const source = "Lynceus Agent";

/** Numbers of our entries: an admin filters by them. The message file takes any from 1 to 1000. */
export const eventIds = { started: 1, stopped: 2, enrolled: 3, enrolmentFailed: 10, failed: 11 } as const;
export type EventName = keyof typeof eventIds;

const types = { information: 4, warning: 2, error: 1 } as const;
const typeOf: Record<EventName, number> = {
  started: types.information,
  stopped: types.information,
  enrolled: types.information,
  enrolmentFailed: types.error,
  failed: types.error,
};

/** Writes one entry to Windows' Application log. What cannot be written is lost: our own log has it too. */
export function eventLog(koffi: Koffi): (name: EventName, text: string) => void {
  const advapi = koffi.load("advapi32.dll");
  const register = advapi.func("__stdcall", "RegisterEventSourceW", "intptr", ["void *", "str16"]);
  const report = advapi.func("__stdcall", "ReportEventW", "int32", [
    "intptr",
    "uint16",
    "uint16",
    "uint32",
    "void *",
    "uint16",
    "uint32",
    koffi.pointer("str16"),
    "void *",
  ]);
  const deregister = advapi.func("__stdcall", "DeregisterEventSource", "int32", ["intptr"]);
  return (name, text) => {
    const handle = register(null, source);
    if (BigInt(handle) === 0n) return;
    report(handle, typeOf[name], 0, eventIds[name], null, 1, 0, [text.slice(0, 30_000)], null);
    deregister(handle);
  };
}
