import type { Route, SettingsFacts } from "@lynceus/protocol/facts";
import { bypassEntries } from "@lynceus/proxy-settings/bypass-list";
import { resolveRoute } from "@lynceus/proxy-settings/route";
import { factEvidence, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { isBad } from "../verdicts.ts";
import { mayPassSilently, routeName, type Sighting, type View } from "../view.ts";

type WinHttp = NonNullable<SettingsFacts["winhttp64"]>;

/** WinHTTP's named-proxy flag (domain 4.3). */
const named = (one: WinHttp): boolean => (one.flags & 2) !== 0 && one.server.trim() !== "";

const shape = (one: WinHttp): string =>
  named(one)
    ? `${one.server.trim().toLowerCase()}|${bypassEntries(one.bypass.toLowerCase(), "windows").sort().join(";")}`
    : "direct";
const shown = (one: WinHttp): string => (named(one) ? quote(one.server.trim()) : "direct");

/** The way that WinHTTP alone would go to a target. */
const routeOf = (one: WinHttp, { target }: Sighting): Route =>
  resolveRoute(
    `https://${target.host}:${target.port ?? 443}${target.path ?? "/"}`,
    {
      autoDetect: false,
      pacUrl: null,
      server: named(one) ? one.server : null,
      bypass: one.bypass,
      source: "none",
      dialect: "windows",
    },
    { autoDetect: null, pac: null },
  ).route;

/** A probe of this machine that went through the same proxy and did not come back well. */
const failedThrough = (view: View, route: Route): Sighting | undefined =>
  view.sightings.find(
    ({ target, configured }) =>
      configured !== null &&
      configured.facts.route.kind === "proxy" &&
      routeName(configured.facts.route) === routeName(route) &&
      (configured.verdict === "proxy-unreachable" ||
        (target.service === "ews" &&
          isBad(configured.verdict, target) &&
          !(configured.verdict === "proxy-auth-required" && mayPassSilently(configured.facts)))),
  );

/** Domain 5.1, 4.3, 1.9: both bitnesses, because 32-bit Office reads the twin. */
export const pattern: Pattern = {
  id: "winhttp-proxy-wrong",
  title: "The machine-wide WinHTTP proxy contradicts the user's proxy",
  layer: "proxy-configuration",
  scope: "client",
  mechanism:
    "Parts of Outlook and Office take the machine-wide WinHTTP proxy. Where it differs from the user's way to Exchange, free/busy, out-of-office and mail tips fail while the browser works; 32-bit Office reads a value of its own.",
  evidence:
    "WinHTTP has a named proxy that sends Exchange through it while the user's settings go direct; or WinHTTP's 64-bit and 32-bit values differ.",
  severities: ["will-prompt", "at-risk"],
  confidences: ["high", "medium"],
  notThis: [
    "WinHTTP and the user's settings lead through the same proxy, or both direct for Exchange.",
    "WinHTTP without a proxy: the default of Windows.",
    "proxy-baseline-drift: the user's own setting differs from the one rolled out.",
  ],
  whoFixes: "Desktop team",
  remedy: [
    {
      who: "Desktop team",
      what: "run netsh winhttp reset proxy, or set the right proxy with a bypass for Exchange",
      reference: "KB 2847833",
    },
    {
      who: "Desktop team",
      what: "do the same with %windir%\\SysWOW64\\netsh.exe, which sets the 32-bit value",
      reference: "KB 2847833",
    },
  ],
  references: ["KB 2847833"],
  match(view) {
    const { settingsFacts, ews } = view;
    const { winhttp64 = null, winhttp32 = null } = settingsFacts ?? {};
    if (!winhttp64 && !winhttp32) return null;
    const differ = winhttp64 !== null && winhttp32 !== null && shape(winhttp64) !== shape(winhttp32);
    const evidence = [
      winhttp64 ? factEvidence("settings", `WinHTTP, 64-bit: ${shown(winhttp64)}`, shown(winhttp64), null) : null,
      winhttp32 ? factEvidence("settings", `WinHTTP, 32-bit: ${shown(winhttp32)}`, shown(winhttp32), null) : null,
    ];
    if (ews?.configured?.facts.route.kind === "direct") {
      for (const one of [winhttp64, winhttp32]) {
        if (!one || !named(one)) continue;
        const route = routeOf(one, ews);
        if (route.kind !== "proxy") continue;
        const proxy = quote(routeName(route) ?? "a proxy");
        const failed = failedThrough(view, route);
        return makeMatch({
          severity: failed ? "will-prompt" : "at-risk",
          confidence: failed || differ ? "high" : "medium",
          explains: false,
          cause: `WinHTTP sends ${quote(ews.target.host)} through ${proxy}, the user's settings go direct`,
          sentence: `${failed ? `Credential prompts expected: WinHTTP sends Exchange through ${proxy}, which fails` : `WinHTTP sends Exchange through ${proxy}`}, while the user's settings go direct; free/busy and out-of-office may break though the browser works. Reset or correct WinHTTP's proxy, both bitnesses.`,
          evidence: [...evidence, probeEvidence(ews.configured), probeEvidence(failed?.configured ?? null)],
        });
      }
    }
    if (!differ) return null;
    return makeMatch({
      severity: "at-risk",
      confidence: "high",
      explains: false,
      cause: `WinHTTP's 64-bit proxy (${shown(winhttp64)}) and 32-bit proxy (${shown(winhttp32)}) differ`,
      sentence: `WinHTTP's proxy is ${shown(winhttp64)} for 64-bit programs and ${shown(winhttp32)} for 32-bit ones, so parts of Office may go another way. Set both the same with both netsh programs.`,
      evidence,
    });
  },
};
