import type { Koffi } from "../koffi.ts";
import { codes, keyCalls } from "./advapi.ts";

/*
 * The system tells us when a key, the set of loaded hives, an address or a route changes; nothing is polled. All
 * notifications of keys share one event, whatever the number of users, and one thread waits for all events. Each request
 * for a notification resets its event, so while the keys are armed one after the other each has an event of its own too.
 */

export interface Watch {
  /** Arms anew, as after a session began: then what was loaded meanwhile is watched too. */
  rearm(): void;
  close(): void;
}

export interface WatchOptions {
  /** Keys to watch, asked for at each arming, because hives come and go. */
  readonly keys: () => readonly WatchedKey[];
  readonly onChange: (what: "settings" | "network") => void;
  /** A notification that cannot be had: the settings are then only read in their turn. */
  readonly onProblem: (why: string) => void;
}

export interface WatchedKey {
  readonly key: string;
  /** Whether changes of the keys below count. */
  readonly below: boolean;
}

const keyNotify = 0x0010;
/** REG_NOTIFY_CHANGE_NAME and _LAST_SET. */
const changes = { names: 1, values: 4 } as const;
const pending = 997;
const infinite = 0xffffffff;
const signalled = 0;
const failed = 0xffffffff;
/** Bytes of OVERLAPPED on 64-bit Windows; the event is its last field. */
const overlapped = { size: 32, event: 24 } as const;

/**
 * Watches keys and the network until closed. A key that is not there is waited for at the nearest one above it.
 * @throws Error where the system has none of it.
 */
export function watchWindows(koffi: Koffi, options: WatchOptions): Watch {
  const keys = keyCalls(koffi);
  const advapi = koffi.load("advapi32.dll");
  const notifyKey = advapi.func("__stdcall", "RegNotifyChangeKeyValue", "int32", [
    "intptr",
    "int32",
    "uint32",
    "intptr",
    "int32",
  ]);
  const kernel32 = koffi.load("kernel32.dll");
  const createEvent = kernel32.func("__stdcall", "CreateEventW", "intptr", ["void *", "int32", "int32", "void *"]);
  const setEvent = kernel32.func("__stdcall", "SetEvent", "int32", ["intptr"]);
  const closeHandle = kernel32.func("__stdcall", "CloseHandle", "int32", ["intptr"]);
  const waitForOne = kernel32.func("__stdcall", "WaitForSingleObject", "uint32", ["intptr", "uint32"]);
  const waitForAny = kernel32.func("__stdcall", "WaitForMultipleObjects", "uint32", [
    "uint32",
    koffi.pointer("intptr"),
    "int32",
    "uint32",
  ]);
  const iphlpapi = koffi.load("iphlpapi.dll");
  const outHandle = koffi.out(koffi.pointer("intptr"));
  const newEvent = () => BigInt(createEvent(null, 0, 0, null));
  const notifications = ["NotifyAddrChange", "NotifyRouteChange"].map((name) => ({
    event: newEvent(),
    name,
    start: iphlpapi.func("__stdcall", name, "uint32", [outHandle, "void *"]),
    // The system writes here as long as a notification is pending: outside of what the collector moves or frees.
    overlapped: koffi.alloc("uint8", overlapped.size),
  }));
  const wake = newEvent();
  /** Each thing is told once, not at every change. */
  const told = new Set<string>();
  const tell = (why: string) => {
    if (told.has(why)) return;
    told.add(why);
    options.onProblem(why);
  };
  /** Of the last arming. Closing a key with a pending notification signals its event, so each arming has its own. */
  let armed: { readonly event: bigint; readonly handles: readonly bigint[] } | null = null;
  let closed = false;

  /** The key, or the nearest one above it that is there. */
  function open(watched: WatchedKey): { handle: bigint; key: string } | null {
    for (let key = watched.key; ; ) {
      const opened = keys.open(key, keyNotify);
      if ("handle" in opened) return { handle: opened.handle, key };
      const cut = key.lastIndexOf("\\");
      if (opened.code !== codes.notFound || cut < 0) return null;
      key = key.slice(0, cut);
    }
  }

  function arm(): void {
    const before = armed;
    const event = newEvent();
    const handles: bigint[] = [];
    /** One for each key, for as long as the requests that follow may reset the shared one. */
    const own: bigint[] = [];
    let refused = 0;

    function watchKey(watched: WatchedKey): void {
      let opened = open(watched);
      if (!opened) refused++;
      while (opened) {
        const { handle, key } = opened;
        handles.push(handle);
        const there = key === watched.key;
        const what = there ? changes.names | changes.values : changes.names;
        const ownEvent = newEvent();
        own.push(ownEvent);
        const ask = (of: bigint): number => notifyKey(handle, there && watched.below ? 1 : 0, what, of, 1);
        // Its own first: a change between the two requests is told by it, one after both by both.
        if (ask(ownEvent) !== codes.ok || ask(event) !== codes.ok) refused++;
        if (there) return;
        // What was made below before this notification was in force is told by nobody: look again, and go on from there.
        opened = open(watched);
        if (opened && opened.key.length <= key.length) {
          keys.close(opened.handle);
          return;
        }
      }
    }

    // Nor is a hive that was loaded after the keys were listed and before their parent was watched: list them again.
    const watching = new Set<string>();
    for (let more = options.keys(); more.length > 0; more = options.keys().filter(({ key }) => !watching.has(key)))
      for (const watched of more) {
        watching.add(watched.key);
        watchKey(watched);
      }
    // From here on no request resets the shared event. Who changed before is watched no longer: tell, and arm again.
    if (own.some((of) => waitForOne(of, 0) === signalled)) setEvent(event);
    for (const of of own) closeHandle(of);
    armed = { event, handles };
    if (before) disarm(before);
    if (refused > 0) tell(`${refused} of ${handles.length + refused} registry keys cannot be watched`);
  }

  function disarm({ event, handles }: NonNullable<typeof armed>): void {
    for (const handle of handles) keys.close(handle);
    closeHandle(event);
  }

  /** One that has told of a change is to be started again; the other is still pending and keeps its memory as it is. */
  function armNetwork({ name, start, event, overlapped: memory }: (typeof notifications)[number]): void {
    koffi.encode(memory, "uint8", new Uint8Array(overlapped.size), overlapped.size);
    koffi.encode(memory, overlapped.event, "intptr", event);
    const code: number = start([0], memory);
    if (code !== 0 && code !== pending) tell(`${name}: error ${code}`);
  }

  function wait(): void {
    if (closed || !armed) return;
    const events = [wake, armed.event, ...notifications.map(({ event }) => event)];
    waitForAny.async(events.length, events, 0, infinite, (error: unknown, index: number) => {
      if (closed) return release();
      if (error || index === failed || index >= events.length)
        return tell(`waiting for changes failed: ${error ?? index}`);
      const network = notifications[index - 2];
      if (network) armNetwork(network);
      // What changes from here on is seen again, so nothing is lost between the change and the reading.
      arm();
      wait();
      options.onChange(network ? "network" : "settings");
    });
  }

  /** Only now nobody waits for the events any more. The network's memory stays: a notification may still be pending. */
  function release(): void {
    if (armed) disarm(armed);
    armed = null;
    closeHandle(wake);
  }

  arm();
  for (const one of notifications) armNetwork(one);
  wait();
  return {
    rearm: () => void setEvent(wake),
    close() {
      closed = true;
      setEvent(wake);
    },
  };
}
