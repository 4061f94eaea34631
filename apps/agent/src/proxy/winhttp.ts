import type { SettingsFacts } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import { redactProxyList } from "@lynceus/proxy-settings/redact";
import { parseWinHttpBlob } from "@lynceus/proxy-settings/winhttp-blob";
import { type Registry, readKey } from "../platform/windows/registry.ts";

/** 64-bit programs read the first, 32-bit ones the second (domain 4.3). */
const places = {
  winhttp64: "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\Connections",
  winhttp32: "HKLM\\SOFTWARE\\WOW6432Node\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\Connections",
} as const;

export interface WinHttpReading {
  readonly facts: SettingsFacts["winhttp64"];
  readonly outcome: string;
}

/** The machine-wide WinHTTP proxy of one bitness (domain 4.3). Null facts: no value, which means direct. */
export function readWinHttp(registry: Registry, bits: keyof typeof places): WinHttpReading {
  const problems: string[] = [];
  const bytes = readKey(registry, places[bits], problems).binary("WinHttpSettings");
  if (bytes === null) return { facts: null, outcome: problems.join("; ") || "absent" };
  const blob = parseWinHttpBlob(bytes);
  if (!blob.ok) problems.push(`WinHttpSettings ends early or is none: ${bytes.length} bytes`);
  return {
    facts: {
      flags: blob.flags,
      server: redactProxyList(blob.server).slice(0, limits.listTextChars),
      bypass: blob.bypass.slice(0, limits.listTextChars),
    },
    outcome: problems.length === 0 ? "read" : `read; ${problems.join("; ")}`,
  };
}
