import { createHmac, X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type SettingsFacts, type SystemFacts, settingsFactsSchema, type UserSettings } from "@lynceus/protocol/facts";
import { bytes, vectors } from "@lynceus/proxy-settings/testing/vectors";
import type { ZoneInput } from "@lynceus/proxy-settings/zone";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { bundleForWindows, nodeExe, type RegistryKeys, startWine, type Wine } from "../src/wine.ts";

/*
 * The agent's own code under a real node.exe, for what the installed service does not send (stored.test.ts), and for
 * registries that are broken or large. What Wine does not prove is in docs/windows.md.
 */

interface Observed {
  readonly facts: SettingsFacts;
  readonly zones: readonly (readonly [string, Partial<ZoneInput>])[];
  readonly system: Partial<SystemFacts>;
  readonly certificates: readonly string[];
}

const settingsKey = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const policyKey = "Software\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const connectionsKey = `${settingsKey}\\Connections`;
const machine = "HKEY_LOCAL_MACHINE";
const sidOf = (n: number) => `S-1-5-21-1004336348-1177238915-682003330-${n}`;
const hiveOf = (n: number) => `HKEY_USERS\\${sidOf(n)}`;
const idOf = (n: number) => createHmac("sha256", "salt").update(sidOf(n)).digest("hex").slice(0, 16);

let wine: Wine;
let directory: string;
let program: string;

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "lynceus-windows-"));
  wine = startWine();
  program = await bundleForWindows(path.join(import.meta.dirname, "../windows/observe.ts"), directory);
});
afterAll(() => {
  wine?.stop();
  if (directory) rmSync(directory, { recursive: true, force: true });
});

async function observe(): Promise<Observed> {
  const output = path.join(directory, "observed.json");
  const { code, output: said } = await wine.run(nodeExe(), [wine.windowsPath(program), wine.windowsPath(output)]);
  expect(`${code} ${said}`).toBe("0 ");
  const observed = JSON.parse(readFileSync(output, "utf8")) as Observed;
  expect(settingsFactsSchema.safeParse(observed.facts).error).toBeUndefined();
  return observed;
}

/** Writes keys for one test; afterwards they are gone. */
async function written(keys: RegistryKeys): Promise<void> {
  await wine.importRegistry(keys);
  onTestFinished(() => wine.importRegistry(Object.fromEntries(Object.keys(keys).map((key) => [key, null]))));
}

function userOf({ facts }: Observed, n: number): UserSettings {
  const user = facts.users.find(({ id }) => id === idOf(n));
  if (!user) throw new Error(`user ${n} was not observed`);
  return user;
}
const outcome = ({ facts }: Observed, name: string) => facts.sources.find((one) => one.name === name)?.outcome;

test("a Lync client that runs is told", async () => {
  const lync = path.join(directory, "lync.exe");
  symlinkSync(nodeExe(), lync);
  const appPath = `${machine}\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\App Paths\\lync.exe`;
  await written({ [appPath]: { "": wine.windowsPath(lync) } });
  expect((await observe()).system.lync).toMatchObject({ installed: true, running: false });

  const up = path.join(directory, "up");
  const script = `require("fs").writeFileSync(${JSON.stringify(wine.windowsPath(up))}, ""); setInterval(() => {}, 1000)`;
  const running = wine.start(wine.windowsPath(lync), ["-e", script]);
  onTestFinished(() => void running.process.kill("SIGKILL"));
  const ended = running.ended.then(({ code, output }) => {
    throw new Error(`the program ended with ${code}: ${output}`);
  });
  ended.catch(() => {});
  await Promise.race([ended, expect.poll(() => existsSync(up), { timeout: 60_000 }).toBe(true)]);
  expect((await observe()).system.lync?.running).toBe(true);
});

test("the certificates are those of Windows' own store, readable ones", async () => {
  const { certificates } = await observe();
  expect(certificates.length).toBeGreaterThan(0);
  expect(new Set(certificates).size).toBe(certificates.length);
  for (const pem of certificates) expect(() => new X509Certificate(pem)).not.toThrow();
});

test("a user's sites of the zones are those of policy, then the user's own", async () => {
  await written({
    // Of a configuration that nobody else has.
    [`${hiveOf(1002)}\\${connectionsKey}`]: { DefaultConnectionSettings: bytes(vectors.D4) },
    [`${hiveOf(1002)}\\${settingsKey}\\ZoneMap`]: { IntranetName: 0 },
    [`${hiveOf(1002)}\\${settingsKey}\\ZoneMap\\Domains\\contoso.com\\mail`]: { https: 1 },
    [`${hiveOf(1002)}\\${policyKey}\\ZoneMapKey`]: { "https://autodiscover.contoso.com": "2" },
  });
  const observed = await observe();
  const { configuration } = userOf(observed, 1002);
  expect(observed.zones.find(([id]) => id === configuration)?.[1]).toEqual({
    zoneMap: [
      { pattern: "https://autodiscover.contoso.com", zone: 2 },
      { pattern: "https://mail.contoso.com", zone: 1 },
    ],
    intranetName: false,
    proxyBypass: true,
  });
});

describe("bad input", () => {
  test("of wrong types and of lengths that are none is told, and the rest is read", async () => {
    await written({
      [`${hiveOf(1003)}\\${settingsKey}`]: {
        ProxyEnable: "yes",
        ProxyServer: 1,
        ProxyOverride: { type: 7, data: Buffer.from("a\0b\0\0", "utf16le") },
        AutoDetect: { type: 4, data: Uint8Array.of(1, 0) },
      },
      [`${hiveOf(1003)}\\${connectionsKey}`]: {
        DefaultConnectionSettings: Buffer.alloc(300 * 1024, 0x46),
        SavedLegacySettings: "none",
      },
      [`${hiveOf(1004)}\\${connectionsKey}`]: { DefaultConnectionSettings: bytes(vectors.D4) },
    });
    const observed = await observe();
    expect(userOf(observed, 1003)).toMatchObject({
      blob: { ok: false, autoDetect: true },
      legacy: { ProxyEnable: null, ProxyServer: null, ProxyOverride: null, AutoDetect: null },
      windows: { savedLegacy: null },
    });
    expect(userOf(observed, 1004).blob).toMatchObject({ ok: true, counter: 12 });
    expect(outcome(observed, "wininet")).toContain("ProxyEnable is REG_SZ, not REG_DWORD");
  });

  test("of 200 users is read in one go", async () => {
    const users = Array.from({ length: 200 }, (_, n) => 5000 + n);
    await wine.importRegistry(
      Object.fromEntries(
        users.map((n) => [
          `${hiveOf(n)}\\${connectionsKey}`,
          { DefaultConnectionSettings: bytes(n % 4 === 0 ? vectors.D3 : vectors.D4) },
        ]),
      ),
    );
    onTestFinished(() => wine.importRegistry(Object.fromEntries(users.map((n) => [hiveOf(n), null]))));
    const observed = await observe();
    const mine = new Set(users.map(idOf));
    expect(observed.facts.users.filter(({ id }) => mine.has(id))).toHaveLength(200);
    expect(observed.facts.configurations.map((one) => one.users).slice(0, 2)).toEqual([150, 50]);
  });
});
