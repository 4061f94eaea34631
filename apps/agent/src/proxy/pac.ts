import { createHash } from "node:crypto";
import type { PacAnswer, PacCall } from "@lynceus/pac/engine";
import type { PacFacts } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import type { Target } from "@lynceus/protocol/policy";
import { parsePacResult } from "@lynceus/proxy-settings/pac-result";
import { redactProxyUrl } from "@lynceus/proxy-settings/redact";
import type { PacOutcome } from "@lynceus/proxy-settings/route";
import { targetUrl } from "@lynceus/proxy-settings/target-url";
import { classifyBody } from "../probes/body-class.ts";
import type { ProbeContext } from "../probes/context.ts";
import { evaluateScript } from "./evaluate-script.ts";
import { type FetchedScript, fetchScript } from "./fetch-script.ts";

/** A script's answer for each address, and what may be told of the script itself. */
export interface EvaluatedPac {
  readonly facts: PacFacts;
  /** By the whole URL, which is what WinHTTP hands over. Null where no script was to be had. */
  outcome(url: string): PacOutcome;
  /** The same for an address that was not among the targets. */
  ask(url: string, ctx: ProbeContext): Promise<PacOutcome>;
}

/** Chrome hands over only the origin of https addresses (domain 4.6). */
const originOf = (url: string): string => (url.startsWith("https:") ? `${new URL(url).origin}/` : url);

const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, "");

/** UTF-8 where it says so, else Latin-1, as Chrome has it. */
function decode(body: Buffer, contentType: string | null): string {
  const utf8 = /charset\s*=\s*"?utf-?8/i.test(contentType ?? "") || body.subarray(0, 3).equals(Buffer.from("\ufeff"));
  return body.toString(utf8 ? "utf8" : "latin1").replace(/^\ufeff/, "");
}

/**
 * Host literals of a script: what it compares the host with. Bounded everywhere, because a script is hostile text that
 * may be a megabyte of beginnings.
 */
const hostLiteral =
  /(\b(?:shExpMatch|dnsDomainIs|localHostOrDomainIs)\s{0,8}\([^)"']{0,200}|\bhost\s{0,8}={2,3}\s{0,8})(["'])([^"'\n]{0,255})\2/g;

/** A host literal with a capital letter, which no request of Lync ever matches (domain 2.8 "PAC case"). */
const hasCapitalHosts = (script: string): boolean =>
  [...script.matchAll(hostLiteral)].some(([, , , literal]) => literal !== literal?.toLowerCase());

/** The script with its host literals in lower case, as its author most likely meant them. */
export const withLowerCaseHosts = (script: string): string =>
  script.replace(
    hostLiteral,
    (_, before: string, quote: string, literal: string) => `${before}${quote}${literal.toLowerCase()}${quote}`,
  );

/** The way that counts: WinINET takes the first and hardly ever the second. */
function firstChoice(result: string | null): string {
  const [choice] = result === null ? [] : parsePacResult(result);
  return choice?.kind === "proxy" ? `${choice.proxy.scheme}://${choice.proxy.host}:${choice.proxy.port}` : "direct";
}

const isPage = (fetched: FetchedScript): boolean =>
  ["html", "html-form", "proxy-page"].includes(classifyBody(fetched.start, fetched.contentType ?? ""));

/** What of a script's error may leave the machine: addresses in it lose their query. */
const shown = (text: string) => text.replace(/\bhttps?:\/\/\S+/gi, (url) => redactProxyUrl(url)).slice(0, 1024);

/** The script's answers; only what is not known from earlier cycles is asked. A failure is never taken for lasting. */
async function answersOf(
  script: string,
  calls: readonly PacCall[],
  myIpAddress: string,
  ctx: ProbeContext,
): Promise<ReadonlyMap<string, PacAnswer>> {
  const sha256 = createHash("sha256").update(script).digest("hex");
  const known = ctx.scripts?.answers(script, sha256, myIpAddress) ?? new Map<string, PacAnswer>();
  const open = calls.filter(({ url }) => !known.has(url));
  const answers = await evaluateScript(script, open, myIpAddress, ctx);
  const byUrl = new Map(known);
  for (const [index, { url }] of open.entries()) {
    const answer = answers[index];
    if (!answer) continue;
    byUrl.set(url, answer);
    if (answer.ok) known.set(url, answer);
  }
  return byUrl;
}

/**
 * Targets that the same script with its host literals in lower case would send another way; null where that script
 * gives no answers, so that nothing is known.
 */
async function changedByCase(
  script: string,
  targets: readonly Target[],
  resultOf: (url: string) => string | null,
  myIpAddress: string,
  ctx: ProbeContext,
): Promise<string[] | null> {
  const urls = [...new Set(targets.map(targetUrl))];
  const lowered = withLowerCaseHosts(script);
  const answers = await answersOf(
    lowered,
    urls.map((url) => ({ url, host: hostOf(url) })),
    myIpAddress,
    ctx,
  );
  if (urls.some((url) => !answers.get(url)?.ok)) return null;
  const loweredResult = (url: string) => {
    const answer = answers.get(url);
    return answer?.ok ? answer.result : null;
  };
  const changed = new Set(urls.filter((url) => firstChoice(resultOf(url)) !== firstChoice(loweredResult(url))));
  return targets.filter((target) => changed.has(targetUrl(target))).map(({ id }) => id);
}

/**
 * Fetches the script at `address` and asks it about every target, in both forms of the URL. Its text never leaves the
 * machine. A script that is unreachable, a page, too big, or that throws or loops is a result.
 *
 * @param configuration id of the configuration that uses it.
 * @param address with its query; only the redacted form is reported.
 */
export async function fetchAndEvaluatePac(
  configuration: string,
  origin: PacFacts["origin"],
  address: string,
  targets: readonly Target[],
  myIpAddress: string,
  ctx: ProbeContext,
  fetched?: FetchedScript,
): Promise<EvaluatedPac> {
  const started = ctx.clock.monotonic();
  const got = fetched ?? (await fetchScript(address, ctx));
  const bodyIsHtml = isPage(got);
  const base = {
    configuration,
    origin,
    url: redactProxyUrl(address).slice(0, limits.urlChars),
    scheme: (/^([a-z][a-z0-9+.-]{0,31}):/i.exec(address)?.[1] ?? "").toLowerCase(),
    fetch: got.fetch,
    authSchemes: got.authSchemes.slice(0, limits.schemes),
    contentType: got.contentType,
    bodyIsHtml,
  };
  const why = got.fetch === "ok" ? "the script is a web page" : `the script could not be fetched: ${got.fetch}`;
  const nothing = (sha256: string | null, bytes: number): EvaluatedPac => ({
    facts: {
      ...base,
      sha256,
      bytes,
      evalOk: got.fetch === "ok" ? false : null,
      evalError: got.fetch === "ok" ? why : null,
      urlFormsDiffer: [],
      myIpAddress: null,
      capitalHostLiterals: false,
      ms: ctx.clock.monotonic() - started,
    },
    outcome: () => ({ ok: false, why }),
    ask: async () => ({ ok: false, why }),
  });
  if (!got.body) return nothing(null, 0);
  const sha256 = createHash("sha256").update(got.body).digest("hex");
  if (bodyIsHtml) return nothing(sha256, got.body.length);

  const script = decode(got.body, got.contentType);
  const routed = targets.filter((target) => target.kind !== "srv");
  const urls = [...new Set(routed.flatMap((target) => [targetUrl(target), originOf(targetUrl(target))]))];
  const calls = urls.map((url) => ({ url, host: hostOf(url) }));
  const byUrl = await answersOf(script, calls, myIpAddress, ctx);
  const failure = urls.map((url) => byUrl.get(url)).find((answer) => answer && !answer.ok);
  const resultOf = (url: string) => {
    const answer = byUrl.get(url);
    return answer?.ok ? answer.result : null;
  };
  const capitals = hasCapitalHosts(script);
  const caseDecides = capitals && !failure ? await changedByCase(script, routed, resultOf, myIpAddress, ctx) : null;
  return {
    facts: {
      ...base,
      sha256,
      bytes: got.body.length,
      evalOk: failure === undefined,
      evalError: failure && !failure.ok ? shown(failure.why) : null,
      urlFormsDiffer: routed
        .filter((target) => resultOf(targetUrl(target)) !== resultOf(originOf(targetUrl(target))))
        .map((target) => target.id),
      myIpAddress: /\bmyIpAddress(?:Ex)?\s*\(/.test(script) ? myIpAddress : null,
      capitalHostLiterals: capitals,
      ...(caseDecides && { caseDecides }),
      ms: ctx.clock.monotonic() - started,
    },
    outcome: (url) => byUrl.get(url) ?? { ok: false, why: "the script was not asked about this address" },
    ask: async (url, now) => {
      const known = byUrl.get(url);
      if (known) return known;
      const answers = await answersOf(script, [{ url, host: hostOf(url) }], myIpAddress, now);
      return answers.get(url) ?? { ok: false, why: "the script gave no answer" };
    },
  };
}
