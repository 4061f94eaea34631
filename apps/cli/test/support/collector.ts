import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { createApiToken } from "@lynceus/db/api-tokens";
import { openDatabase } from "@lynceus/db/client";
import { savePolicy } from "@lynceus/db/policies";
import { wholeFleet } from "@lynceus/db/scope";
import { createTestDatabase } from "@lynceus/db/testing";
import { seedParts } from "@lynceus/db/testing-parts";
import { everyMachine } from "@lynceus/protocol/access";
import type { Policy } from "@lynceus/protocol/policy";

export const root = path.resolve(import.meta.dirname, "../../../..");

export const policy: Policy = {
  version: 1,
  targets: [
    {
      id: "ews",
      service: "ews",
      kind: "https",
      host: "mail.example.org",
      port: 443,
      path: "/EWS/Exchange.asmx",
      locations: ["inside", "outside", "vpn", "unknown"],
      accept: [],
      cadence: "cycle",
      expectedIssuers: [],
    },
  ],
  groups: [{ id: "ews", title: "Exchange Web Services", required: true, anyOf: ["ews"] }],
  intervals: { cycleMinutes: 15, settingsMinutes: 5, heartbeatSeconds: 60 },
  beacon: null,
  insideSuffixes: ["example.org"],
  minSecondsPerHost: 5,
  expectations: {
    smtpDomains: ["example.org"],
    sipDomains: ["example.org"],
    requiresProxy: false,
    extendedProtection: "unknown",
    ssoHosts: [],
    require5060: false,
    responseGroups: false,
    exchangeOnline: false,
  },
};

/** The built collector with its self-made certificate, on a database of two parts. */
export async function startCollector() {
  const database = await createTestDatabase();
  const db = wholeFleet(openDatabase({ url: database.url }));
  await savePolicy(db, { body: policy, now: new Date(), createdBy: "test" });
  const parts = await seedParts(db, new Date());
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-cli-"));
  const child = spawn(
    process.execPath,
    [path.join(root, "apps/collector/dist/main.js"), "--port", "0", "--data-dir", directory, "--tls-name", "localhost"],
    { env: { ...process.env, DATABASE_URL: database.url }, stdio: ["ignore", "pipe", "pipe"] },
  );
  const said: string[] = [];
  const listening = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => {
        said.push(line);
        const found = /"listening":"wss:\/\/[^"]*:(\d+)"/.exec(line);
        if (found) resolve(found[1] as string);
      });
    child.on("close", (code) => reject(new Error(`the collector ended with ${code}: ${said.slice(-3).join(" | ")}`)));
  });
  const port = await listening;
  const pin = /"pin":"([0-9a-f]{64})"/.exec(said.join("\n"))?.[1] ?? "";
  const tokens: Record<string, string> = {};
  for (const scope of ["read", "operate", "admin"])
    tokens[scope] = (
      await createApiToken(db, { label: `cli ${scope}`, scopes: [scope], scope: everyMachine, createdBy: "test" })
    ).secret;
  return {
    db,
    databaseUrl: database.url,
    parts,
    directory,
    url: `https://localhost:${port}`,
    pin,
    tokens: tokens as Record<"read" | "operate" | "admin", string>,
    async stop() {
      child.removeAllListeners("close");
      const gone = new Promise((resolve) => child.on("close", resolve));
      child.kill("SIGTERM");
      await gone;
      await db.close();
      await database.drop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
export type TestCollector = Awaited<ReturnType<typeof startCollector>>;
