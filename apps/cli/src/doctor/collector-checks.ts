import { ApiError, answer, type LynceusClient } from "@lynceus/client/client";
import { formatCount, formatDuration, safeText } from "@lynceus/protocol/present";
import type { Cli } from "../cli.ts";
import type { Login } from "../login-file.ts";
import { clientOf } from "../session.ts";
import { inspectTls } from "../tls-peer.ts";
import { trustedFetch } from "../transport.ts";
import { bad, type Check, ok, skipped, warning } from "./check.ts";
import { releasesBehind, supportedReleases } from "./versions.ts";

const dayMs = 86_400_000;

/** Port and certificate, before a token is shown to anybody. */
export async function checkPort(cli: Cli, login: Login): Promise<{ checks: Check[]; trusted: boolean }> {
  const url = new URL(login.url);
  const port = url.port || (url.protocol === "http:" ? "80" : "443");
  if (url.protocol === "http:")
    return { checks: [skipped("certificate", "plain text, on this machine alone")], trusted: true };
  try {
    const { chain, refusal } = await inspectTls(url, login.ca);
    const reached = ok("port", `${url.hostname} answers on ${port}`);
    const own = chain[0];
    if (refusal !== null || !own)
      return {
        checks: [
          reached,
          bad(
            "certificate",
            `not to be trusted: ${refusal ?? "there is none"}`,
            "renew it, or name its authority: lynceus login with --ca or --pin",
          ),
        ],
        trusted: false,
      };
    const left = Date.parse(own.validTo) - cli.now();
    const until = `trusted until ${new Date(own.validTo).toISOString().slice(0, 10)}`;
    return {
      checks: [
        reached,
        left > 14 * dayMs
          ? ok("certificate", until)
          : warning(
              "certificate",
              `${until}, in ${formatDuration(left)}`,
              "renew it and restart the collector; a self-made one is renewed by itself",
            ),
      ],
      trusted: true,
    };
  } catch (error) {
    return {
      checks: [
        bad(
          "port",
          `${url.hostname}:${port} does not answer: ${(error as Error).message}`,
          "is the collector running, is its name in DNS, is the port open from here (docs/operations/firewall.md)",
        ),
      ],
      trusted: false,
    };
  }
}

async function checkReady(login: Login): Promise<Check> {
  try {
    const response = await trustedFetch(login.ca)(
      new Request(`${login.url}/readyz`, { signal: AbortSignal.timeout(10_000) }),
    );
    if (response.ok) return ok("readiness", "the collector takes messages");
    const { why } = (await response.json()) as { why?: string };
    return bad(
      "readiness",
      safeText(why ?? `it answers ${response.status}`),
      "look at the collector's log, and at its database",
    );
  } catch (error) {
    return bad("readiness", (error as Error).message, "look at the collector's log");
  }
}

/** Versions of agents, most machines first. */
async function checkAgents(client: LynceusClient, collector: string): Promise<Check> {
  const { items } = await answer(client.GET("/api/v1/values", { params: { query: { field: "agent" } } }));
  const old = items.filter(({ value }) => (releasesBehind(value, collector) ?? 0) > supportedReleases);
  const newer = items.filter(({ value }) => (releasesBehind(value, collector) ?? 0) < 0);
  const list = (some: typeof items) =>
    some
      .slice(0, 3)
      .map(({ value, machines }) => `${safeText(value)} on ${formatCount(machines)}`)
      .join(", ");
  if (old.length > 0)
    return warning(
      "agents",
      `older than is supported with collector ${collector}: ${list(old)}`,
      "roll out the agent that came with the collector (docs/operations/upgrade.md)",
    );
  if (newer.length > 0)
    return warning(
      "agents",
      `newer than collector ${collector}: ${list(newer)}`,
      "update the collector before the agents",
    );
  return ok("agents", items.length === 0 ? "none has reported yet" : list(items));
}

/** What only the API can tell; each part is looked at, whatever the others say. */
async function checkApi(cli: Cli, login: Login): Promise<Check[]> {
  const client = clientOf(cli, login);
  const before = cli.now();
  const about = await answer(client.GET("/api/v1/about"));
  const after = cli.now();
  const skew = (before + after) / 2 - Date.parse(about.now);
  const ends = about.token.expiresAt === null ? null : Date.parse(about.token.expiresAt) - after;
  const checks: Check[] = [
    ends !== null && ends < 14 * dayMs
      ? warning(
          "token",
          `it ends in ${formatDuration(ends)}`,
          "make another one in the dashboard, and lynceus login again",
        )
      : ok("token", `${about.token.scopes.join(", ")}, sees ${safeText(about.token.sees)}`),
    Math.abs(skew) > 5_000 + (after - before)
      ? warning(
          "clock",
          `this machine's clock and the collector's differ by ${formatDuration(Math.abs(skew))}`,
          "set both by NTP: machines by their own time would look late, or early",
        )
      : ok("clock", "the same as the collector's"),
    (releasesBehind(cli.version, about.version) ?? 0) === 0
      ? ok("version", `collector ${about.version}`)
      : warning(
          "version",
          `this command is ${cli.version}, the collector ${about.version}`,
          "use the command that came with the collector",
        ),
  ];
  checks.push(await checkAgents(client, about.version));
  return checks;
}

/** From wherever one is logged in. */
export async function collectorChecks(cli: Cli, login: Login | null): Promise<Check[]> {
  if (!login)
    return [
      skipped("collector", "not logged in: lynceus login https://collector.example.org:7443 lets it be looked at"),
    ];
  const { checks, trusted } = await checkPort(cli, login);
  if (!trusted) return checks;
  checks.push(await checkReady(login));
  try {
    checks.push(...(await checkApi(cli, login)));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    checks.push(
      bad(
        "token",
        error.message,
        error.status === 401
          ? "make a new one in the dashboard, and lynceus login again"
          : "look at the collector's log",
      ),
    );
  }
  return checks;
}
