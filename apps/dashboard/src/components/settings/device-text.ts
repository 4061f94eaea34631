import { safeText } from "@lynceus/protocol/present";

/*
 * What a browser says of itself, in two words. It may say anything, so nothing hangs on it; what is not known is shown as
 * it came.
 */

const browsers: readonly [RegExp, string][] = [
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bFirefox\//, "Firefox"],
  [/\bHeadlessChrome\//, "Chrome without a window"],
  [/\bChrome\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];
const systems: readonly [RegExp, string][] = [
  [/\bAndroid\b/, "Android"],
  [/\biPhone|iPad\b/, "iOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

/** "Firefox on Windows" of a User-Agent. */
export function deviceText(userAgent: string | null): string {
  if (!userAgent) return "unknown device";
  const known = (list: readonly [RegExp, string][]) => list.find(([pattern]) => pattern.test(userAgent))?.[1];
  const [browser, system] = [known(browsers), known(systems)];
  if (browser === undefined) return safeText(userAgent, 48);
  return system === undefined ? browser : `${browser} on ${system}`;
}
