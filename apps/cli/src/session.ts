import { readFileSync } from "node:fs";
import path from "node:path";
import { createClient, type LynceusClient } from "@lynceus/client/client";
import type { Cli } from "./cli.ts";
import { type Login, readLogin } from "./login-file.ts";
import { exitCodes, Problem, usageProblem } from "./problem.ts";
import { trustedFetch } from "./transport.ts";

/** A certificate authority from a file. @throws Problem when it is none */
export function readAuthority(cli: Cli, file: string, said: string): string {
  let text: string;
  try {
    text = readFileSync(path.resolve(cli.cwd, file), "utf8");
  } catch (error) {
    throw usageProblem(`${said} "${file}" cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!certificates) throw usageProblem(`${said} "${file}" holds no certificate in PEM`);
  return `${certificates.join("\n")}\n`;
}

/**
 * The collector that commands are for: `LYNCEUS_URL`, `LYNCEUS_TOKEN` and `LYNCEUS_CA` before what `lynceus login` kept.
 * Null when neither is there.
 */
export function findLogin(cli: Cli): Login | null {
  const { LYNCEUS_URL: url, LYNCEUS_TOKEN: token, LYNCEUS_CA: ca } = cli.env;
  const authority = ca ? readAuthority(cli, ca, "LYNCEUS_CA") : null;
  if (url && token) return { url, token, ca: authority };
  const kept = readLogin(cli.env);
  if (!kept) return null;
  // A token is sent to the collector that it was kept for, and to no other.
  if (url && url !== kept.url)
    throw new Problem(`LYNCEUS_URL is set to ${url}, and LYNCEUS_TOKEN is not; set both`, exitCodes.access);
  return { ...kept, ...(token && { token }), ...(authority && { ca: authority }) };
}

/** @throws Problem with what to do when nobody is logged in */
export function requireLogin(cli: Cli): Login {
  const login = findLogin(cli);
  if (!login)
    throw new Problem(
      "not logged in; use e.g. lynceus login https://collector.example.org:7443, or set LYNCEUS_URL and LYNCEUS_TOKEN",
      exitCodes.access,
    );
  return login;
}

/** Clients share the authorities of the system and of this login. */
export function clientOf(cli: Cli, login: Login): LynceusClient {
  return createClient({
    url: login.url,
    token: login.token,
    fetch: trustedFetch(login.ca),
    userAgent: `lynceus-cli/${cli.version}`,
  });
}

export const connect = (cli: Cli): LynceusClient => clientOf(cli, requireLogin(cli));
