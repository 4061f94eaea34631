import type { EffectiveSettings } from "@lynceus/protocol/facts";
import { bypassEntries } from "./bypass-list.ts";

/** Hex digits of the id: 64 bits, so that no two configurations of a fleet meet. */
const idDigits = 16;

/**
 * Id of an effective configuration: users who share it are probed once (rule 5). What rules the route is in it, where
 * it was read is not, nor spaces and order of writing that change nothing.
 *
 * @param hash lower-case hex SHA-256 of a text.
 * @param scriptUrl the script's full address, since two queries may give two scripts.
 */
export function configurationId(
  settings: EffectiveSettings,
  hash: (text: string) => string,
  scriptUrl: string | null = settings.pacUrl,
): string {
  const parts = [
    settings.dialect,
    settings.autoDetect,
    scriptUrl,
    // A second entry for the same scheme counts only after the first: the order stays.
    settings.server
      ?.toLowerCase()
      .split(/[;\s]+/)
      .filter(Boolean)
      .join(";") ?? null,
    // Of a bypass list the order says nothing.
    [...new Set(bypassEntries(settings.bypass.toLowerCase(), settings.dialect))].sort().join(";"),
  ];
  return hash(JSON.stringify(parts)).slice(0, idDigits);
}
