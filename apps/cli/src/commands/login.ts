import { readFileSync } from "node:fs";
import path from "node:path";
import { text as readAll } from "node:stream/consumers";
import { answer, collectorUrl, type Schemas } from "@lynceus/client/client";
import { apiVersion } from "@lynceus/protocol/api-version";
import { safeText } from "@lynceus/protocol/present";
import { Command } from "commander";
import { read } from "read";
import { type Cli, say, write } from "../cli.ts";
import { forgetLogin, type Login, loginFile, saveLogin } from "../login-file.ts";
import { exitCodes, Problem, usageProblem } from "../problem.ts";
import { fieldLines, printJson } from "../rows.ts";
import { clientOf, readAuthority, requireLogin } from "../session.ts";
import { timeText } from "../times.ts";
import { inspectTls, pinOf, type TlsPeer } from "../tls-peer.ts";

type About = Schemas["About"];

async function peerOf(url: URL, authority: string | null): Promise<TlsPeer> {
  try {
    return await inspectTls(url, authority);
  } catch (error) {
    throw new Problem(`the collector cannot be reached: ${(error as Error).message}`, exitCodes.unreachable);
  }
}

/**
 * The authority to verify a collector by, beside those of the system: none, the one of a file, or the one of a pin.
 * @throws Problem when its certificate is not to be trusted
 */
export async function authorityOf(url: URL, authority: string | null, pin: string | null): Promise<string | null> {
  if (url.protocol === "http:") return null;
  const peer = await peerOf(url, authority);
  if (peer.refusal === null) return authority;
  const pinned = pin === null ? undefined : peer.chain.find((one) => pinOf(one) === pin.toLowerCase());
  const shown = peer.chain.at(-1);
  if (!pinned)
    throw new Problem(
      pin !== null
        ? `the certificate of ${url.host} has another pin than --pin: ${shown ? pinOf(shown) : "none"}; ask who runs it before you go on`
        : `the certificate of ${url.host} is not trusted: ${peer.refusal}; use --ca with your authority's file, or, when the collector logged this pin at its start: --pin ${shown ? pinOf(shown) : ""}`,
      exitCodes.access,
    );
  const own = pinned.toString();
  const again = await peerOf(url, own);
  if (again.refusal !== null)
    throw new Problem(`the certificate of ${url.host} is not trusted: ${again.refusal}`, exitCodes.access);
  return own;
}

/** Never from the command line: other people of the machine see that. */
async function readToken(cli: Cli, file: string | undefined): Promise<string> {
  let text: string;
  if (file !== undefined && file !== "-") {
    try {
      text = readFileSync(path.resolve(cli.cwd, file), "utf8");
    } catch (error) {
      throw usageProblem(`--token-file "${file}" cannot be read: ${(error as NodeJS.ErrnoException).code}`);
    }
  } else if (cli.stdin.isTTY && file === undefined) {
    try {
      text = await read({
        prompt: "API token: ",
        silent: true,
        replace: "*",
        input: cli.stdin as never,
        output: cli.stderr,
      });
    } catch {
      throw new Problem("", exitCodes.usage);
    }
  } else text = await readAll(cli.stdin);
  const token = text.trim();
  if (!/^[\x21-\x7e]{8,512}$/.test(token))
    throw usageProblem("an API token is missing; make one in the dashboard under Settings, API tokens");
  return token;
}

function whoLines(cli: Cli, login: Login, about: About): string[] {
  const { label, scopes, sees, expiresAt } = about.token;
  return fieldLines([
    ["collector", `${login.url}, ${about.version}`],
    ["token", safeText(label) || "without a name"],
    ["may", scopes.join(", ")],
    ["sees", safeText(sees)],
    ["expires", expiresAt === null ? "never" : timeText(cli, "table")(expiresAt)],
    ...(about.dashboardUrl === null ? [] : [["dashboard", safeText(about.dashboardUrl)] as const]),
  ]);
}

export const loginCommand = (cli: Cli) =>
  new Command("login")
    .summary("keep the address of a collector, and a token")
    .description(
      "Keeps the address of a collector and an API token for later commands, readable by you alone. The token is asked for, or read from standard input or a file: never from the command line, which others see. LYNCEUS_URL, LYNCEUS_TOKEN and LYNCEUS_CA stand for it in a script.",
    )
    .argument("<url>", "e.g. https://collector.example.org:7443")
    .option("--token-file <file>", "the token's file; - for standard input")
    .option("--ca <file>", "certificate of your company's authority, PEM")
    .option("--pin <sha256>", "of a self-made authority, as the collector logs it at its start")
    .addHelpText(
      "after",
      "\nExamples:\n  lynceus login https://collector.example.org:7443\n  lynceus login https://collector.example.org:7443 --ca company-ca.pem < token.txt",
    )
    .action(async (address: string, options: { tokenFile?: string; ca?: string; pin?: string }) => {
      const url = collectorUrl(address);
      const { pin = null } = options;
      if (pin !== null && !/^[0-9a-f]{64}$/i.test(pin))
        throw usageProblem(`--pin "${pin}" is not 64 hexadecimal digits; the collector logs it at its start as "pin"`);
      const given = options.ca === undefined ? null : readAuthority(cli, options.ca, "--ca");
      // Before the token is sent anywhere.
      const ca = await authorityOf(new URL(url), given, pin);
      const login: Login = { url, token: await readToken(cli, options.tokenFile), ca };
      const about = await answer(clientOf(cli, login).GET("/api/v1/about"));
      if (about.apiVersion !== apiVersion)
        throw new Problem(
          `the collector speaks version ${about.apiVersion} of the API, and this command version ${apiVersion}; use the one that came with Lynceus ${about.version}`,
        );
      const file = saveLogin(cli.env, login);
      for (const line of whoLines(cli, login, about)) say(cli, line);
      say(cli, `kept in ${file}`);
    });

export const logoutCommand = (cli: Cli) =>
  new Command("logout")
    .summary("forget the address and the token")
    .description("Forgets what lynceus login kept. The token stays valid: the dashboard revokes it.")
    .action(() => {
      say(cli, forgetLogin(cli.env) ? "forgotten" : `nobody was logged in: there is no ${loginFile(cli.env)}`);
    });

export const whoamiCommand = (cli: Cli) =>
  new Command("whoami")
    .summary("which collector, as whom, with which rights")
    .description("Shows which collector commands are for, and what the token may do.")
    .option("--json", "for a program")
    .addHelpText("after", "\nExample:\n  lynceus whoami")
    .action(async (options: { json?: boolean }) => {
      const login = requireLogin(cli);
      const about = await answer(clientOf(cli, login).GET("/api/v1/about"));
      if (options.json) return printJson(cli, { url: login.url, ...about });
      await write(cli, `${whoLines(cli, login, about).join("\n")}\n`);
    });
