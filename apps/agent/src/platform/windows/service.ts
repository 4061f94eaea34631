import type { Koffi } from "../koffi.ts";

/** The name by which the service manager, the event log and the installer know the agent. */
export const serviceName = "LynceusAgent";

/** What Windows tells a service that concerns us. Each returns at once. */
export interface ServiceHandlers {
  onStop(reason: "stop" | "shutdown"): void;
  onSuspend(): void;
  onResume(): void;
  /** Somebody signed in or out, locked or unlocked. */
  onSessionChange(): void;
}

/** Values of winsvc.h and winuser.h. */
const state = { startPending: 2, stopPending: 3, running: 4, stopped: 1 } as const;
const control = { stop: 1, interrogate: 4, shutdown: 5, powerEvent: 13, sessionChange: 14, preshutdown: 15 } as const;
const accept = { stop: 1, shutdown: 4, powerEvent: 0x40, sessionChange: 0x80, preshutdown: 0x100 } as const;
const power = { suspend: 4, resumeSuspend: 7, resumeAutomatic: 18 } as const;
const ownProcess = 0x10;
const errorCallNotImplemented = 120;
const errorServiceSpecific = 1066;
/** How long the manager waits for the next sign of life while we stop: the goodbye, and the outbox on the disk. */
const stopWaitMs = 15_000;

/**
 * Runs the agent as a Windows service until it ends: tells the service manager that it runs and that it has stopped,
 * and hands on what the manager says.
 * @param run the agent; resolves with its exit code.
 * @returns that code. @throws Error when this process was not started by the service manager.
 */
export function runService(
  koffi: Koffi,
  run: (connect: (handlers: ServiceHandlers) => void) => Promise<number>,
): Promise<number> {
  const advapi = koffi.load("advapi32.dll");
  const kernel32 = koffi.load("kernel32.dll");
  const statusType = koffi.struct({
    type: "uint32",
    state: "uint32",
    accepted: "uint32",
    exitCode: "uint32",
    ownExitCode: "uint32",
    checkPoint: "uint32",
    waitHint: "uint32",
  });
  const entryType = koffi.struct({ name: "str16", main: "void *" });
  const mainType = koffi.proto("__stdcall", "LynceusServiceMain", "void", ["uint32", "void *"]);
  const handlerType = koffi.proto("__stdcall", "LynceusServiceHandler", "uint32", [
    "uint32",
    "uint32",
    "void *",
    "void *",
  ]);
  const dispatch = advapi.func("__stdcall", "StartServiceCtrlDispatcherW", "int32", [koffi.pointer(entryType)]);
  const register = advapi.func("__stdcall", "RegisterServiceCtrlHandlerExW", "intptr", ["str16", "void *", "void *"]);
  const setStatus = advapi.func("__stdcall", "SetServiceStatus", "int32", ["intptr", koffi.pointer(statusType)]);
  const lastError = kernel32.func("__stdcall", "GetLastError", "uint32", []);

  return new Promise((resolve, reject) => {
    let handle: bigint | number = 0;
    let current: number = state.startPending;
    let handlers: ServiceHandlers | null = null;
    let exitCode = 0;
    /** Asked to stop before the agent listened. */
    let early: "stop" | "shutdown" | null = null;

    function say(next: number, code = 0): void {
      current = next;
      const settled = next === state.running || next === state.stopped;
      setStatus(handle, {
        type: ownProcess,
        state: next,
        accepted:
          next === state.running
            ? accept.stop | accept.shutdown | accept.preshutdown | accept.powerEvent | accept.sessionChange
            : 0,
        // A failure of our own makes the manager take its recovery actions.
        exitCode: code === 0 ? 0 : errorServiceSpecific,
        ownExitCode: code,
        checkPoint: settled ? 0 : 1,
        waitHint: settled ? 0 : stopWaitMs,
      });
    }

    function stop(reason: "stop" | "shutdown"): void {
      if (current !== state.running) return;
      say(state.stopPending);
      if (handlers) handlers.onStop(reason);
      else early = reason;
    }

    const onControl = (what: number, event: number): number => {
      switch (what) {
        case control.interrogate:
          return 0;
        case control.stop:
          stop("stop");
          return 0;
        case control.shutdown:
        case control.preshutdown:
          stop("shutdown");
          return 0;
        case control.powerEvent:
          if (event === power.suspend) handlers?.onSuspend();
          if (event === power.resumeAutomatic || event === power.resumeSuspend) handlers?.onResume();
          return 0;
        case control.sessionChange:
          handlers?.onSessionChange();
          return 0;
        default:
          return errorCallNotImplemented;
      }
    };
    const handlerPointer = koffi.register(onControl, koffi.pointer(handlerType));

    const onMain = () => {
      handle = register(serviceName, handlerPointer, null);
      say(state.running);
      // After this has returned to the manager, which the agent talks to at its start.
      setImmediate(() => void serve());
    };
    async function serve(): Promise<void> {
      exitCode = await run((connected) => {
        handlers = connected;
        if (early !== null) connected.onStop(early);
      }).catch(() => 1);
      // With this the dispatcher returns.
      say(state.stopped, exitCode);
    }
    const mainPointer = koffi.register(onMain, koffi.pointer(mainType));

    // It returns only when the service has stopped, so it waits on a thread of its own.
    dispatch.async(
      [
        { name: serviceName, main: mainPointer },
        { name: null, main: null },
      ],
      (error: Error | null, ok: number) => {
        if (error) reject(error);
        else if (ok === 0)
          reject(
            new Error(
              `this command is for Windows' service manager (error ${lastError()}); use run, or sc start ${serviceName}`,
            ),
          );
        else resolve(exitCode);
      },
    );
  });
}
