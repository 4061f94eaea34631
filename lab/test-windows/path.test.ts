import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { type Expected, healthy, settle } from "../src/expect.ts";
import { type InternetSettings, type Lab, startLab } from "../src/lab.ts";
import { address } from "../src/network.ts";
import { proxyPort } from "../src/proxies.ts";
import { agentExecutable } from "../src/windows-agent.ts";
import { searchListKeys, settingsKeys, trustedRootKeys } from "../src/windows-registry.ts";
import { type Started, startWine, type Wine } from "../src/wine.ts";

/*
 * The whole path: a registry value under Wine in a client's network namespace, the real Windows executable, the
 * collector, and the finding that the dashboard shows.
 */

const name = "windows-desk";
const through = (port: keyof typeof proxyPort): InternetSettings => ({
  ProxyEnable: 1,
  ProxyServer: `px1.contoso.test:${proxyPort[port]}`,
});
const direct: InternetSettings = {};
const exchangeClosed = [`ip daddr ${address.exchange} tcp dport 443 reject with tcp reset`];

let lab: Lab;
let wine: Wine;
let agent: Started;
let directory: string;
let counter = 1;
const set = (settings: InternetSettings) => wine.importRegistry(settingsKeys(settings, ++counter));
const agentLog = () => {
  const file = path.join(directory, "data", "agent.log");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(-30).join("\n") : "no log";
};

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "lynceus-path-"));
  lab = await startLab([{ name, site: "berlin", settings: {}, agent: false }]);
  wine = startWine(lab.client(name).namespace);
  const executable = await agentExecutable();
  await wine.importRegistry({
    ...settingsKeys(direct, counter),
    ...trustedRootKeys(readFileSync(lab.authority, "utf8")),
    ...searchListKeys("contoso.test"),
  });
  agent = wine.start(wine.windowsPath(executable), [
    "run",
    "--token",
    lab.token,
    "--data-dir",
    wine.windowsPath(path.join(directory, "data")),
    "--hostname",
    name,
    "--allowed-suffixes",
    "contoso.test,control.test",
    "--allowed-ports",
    "80,443,5060,5061",
  ]);
  // The executable is put together first, which takes a while on a busy machine.
}, 360_000);
afterAll(async () => {
  agent?.process.kill("SIGKILL");
  wine?.stop();
  await lab?.stop();
  if (directory) rmSync(directory, { recursive: true, force: true });
});
afterEach(async () => {
  lab.client(name).setRules({});
  await set(direct);
});

const polling = { timeout: 60_000, interval: 250 } as const;
const shows = (expected: Expected) => {
  onTestFailed(() => console.error(agentLog()));
  return settle(lab, { [name]: expected });
};

describe("a Windows machine", () => {
  test("is healthy, its chain judged by Windows' own store", async () => {
    await shows(healthy);
    expect((await lab.machine(name)).os).toBe("windows");
    await expect.poll(async () => (await lab.machine(name)).location, polling).toBe("inside");
  });

  test.each<[string, InternetSettings, readonly string[], Expected]>([
    ["a dead proxy in the user's blob", through("dead"), [], { primary: "proxy-unreachable" }],
    ["a proxy that refuses Exchange", through("denying"), [], { primary: "proxy-blocks-exchange" }],
    ["a proxy that asks for a Basic login", through("basic"), [], { primary: "proxy-auth-required" }],
    [
      "a proxy for http only, where direct is closed",
      { ProxyEnable: 1, ProxyServer: `http=px1.contoso.test:${proxyPort.open}` },
      exchangeClosed,
      { primary: "proxy-http-only" },
    ],
    [
      "a script in a file, where direct is closed",
      { AutoConfigURL: "file://C:/pac/proxy.pac" },
      exchangeClosed,
      { primary: "pac-file-url" },
    ],
    ["a closed port to Exchange", direct, exchangeClosed, { primary: "ews-port-blocked" }],
  ])("shows %s, and is well again after", async (_fault, settings, rules, expected) => {
    lab.client(name).setRules({ forward: rules });
    await set(settings);
    await shows(expected);
    const { AutoConfigURL = "", ProxyServer = "", ProxyEnable = 0 } = settings;
    const blob = { ok: true, counter, manual: ProxyEnable === 1, server: ProxyServer, pacUrl: AutoConfigURL };
    // A port may be found closed before the settings of this test are there.
    await expect
      .poll(async () => (await lab.machine(name)).facts.settings?.facts.users, polling)
      .toMatchObject([{ blob }]);
    lab.client(name).setRules({});
    await set(direct);
    await shows(healthy);
  });
});
