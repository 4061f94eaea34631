import { type FSWatcher, watch as watchDirectory } from "node:fs";
import { basename, dirname, join } from "node:path";
import { loadKoffi } from "./koffi.ts";
import { watchNetwork } from "./linux/watch-network.ts";
import type { WindowsMachine } from "./windows/machine.ts";
import { watchWindows } from "./windows/watch.ts";
import { watchedKeys } from "./windows/watched-keys.ts";

/** What may have changed: the proxy settings and who is signed in, or the network. */
export type Change = "settings" | "network";

export interface MachineWatch {
  readonly onChange: (what: Change) => void;
  /** One line where something cannot be watched: it is then read in its turn. */
  readonly onProblem: (why: string) => void;
}

export interface Watched {
  /** Whether changes of the network are told of; else it has to be looked at every few seconds. */
  readonly network: boolean;
  readonly end: () => void;
}

/** What is watched where the settings are files. */
export interface WatchedFiles {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly settingsFile: string | null;
}

/** Files that decide on proxies or on the resolver, and what their change means. */
function filesOf({ environment, settingsFile }: WatchedFiles): { readonly path: string; readonly what: Change }[] {
  if (settingsFile !== null) return [{ path: settingsFile, what: "settings" }];
  const { XDG_CONFIG_HOME, HOME } = environment;
  const config = XDG_CONFIG_HOME || (HOME ? join(HOME, ".config") : null);
  const desktop = config === null ? [] : [join(config, "dconf", "user"), join(config, "kioslaverc")];
  return [
    ...desktop.map((path) => ({ path, what: "settings" as const })),
    { path: "/etc/resolv.conf", what: "network" },
  ];
}

/** Watches the directories of the files, because both desktops replace theirs. Returns how to end it. */
export function watchFiles(files: WatchedFiles, { onChange }: MachineWatch): () => void {
  const byDirectory = new Map<string, Map<string, Change>>();
  for (const { path, what } of filesOf(files)) {
    const names = byDirectory.get(dirname(path)) ?? new Map<string, Change>();
    byDirectory.set(dirname(path), names.set(basename(path), what));
  }
  const watchers: FSWatcher[] = [];
  for (const [directory, names] of byDirectory) {
    try {
      const watcher = watchDirectory(directory, { persistent: false }, (_event, name) => {
        const what = names.get(name ?? "");
        if (what) onChange(what);
      });
      watcher.on("error", () => watcher.close());
      watchers.push(watcher);
    } catch {
      // No such directory: there is no such desktop.
    }
  }
  return () => {
    for (const watcher of watchers) watcher.close();
  };
}

/** Linux: the kernel tells of the network. Null where its libraries cannot be called: it is then looked at in its turn. */
function watchLinux({ onChange, onProblem }: MachineWatch): (() => void) | null {
  try {
    return watchNetwork(loadKoffi(), () => onChange("network"), onProblem);
  } catch (error) {
    onProblem(`the network cannot be watched: ${(error as Error).message}`);
    return null;
  }
}

/** Watches this machine's settings and its network by the means of its system. */
export function watchMachine(
  windows: WindowsMachine | { readonly why: string } | null,
  files: WatchedFiles,
  handlers: MachineWatch,
): Watched {
  if (windows === null || files.settingsFile !== null) {
    const endFiles = watchFiles(files, handlers);
    const endNetwork = process.platform === "linux" ? watchLinux(handlers) : null;
    const end = () => {
      endFiles();
      endNetwork?.();
    };
    return { network: endNetwork !== null, end };
  }
  if ("why" in windows) return { network: false, end: () => {} };
  try {
    const watch = watchWindows(loadKoffi(), { ...handlers, keys: () => watchedKeys(windows) });
    return { network: true, end: () => watch.close() };
  } catch (error) {
    handlers.onProblem(`changes cannot be watched: ${(error as Error).message}`);
    return { network: false, end: () => {} };
  }
}
