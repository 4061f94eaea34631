import { existsSync, type FSWatcher, mkdtempSync, readFileSync, rmSync, watch } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { WinHttpReply } from "@lynceus/agent/platform/windows/winhttp-child";
import { bytes, vectors } from "@lynceus/proxy-settings/testing/vectors";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { bundleForWindows, nodeExe, type RegistryKeys, type Started, startWine, type Wine } from "../src/wine.ts";

/*
 * What Windows tells of by itself: the agent's own watch under a real node.exe hears of each change and reads the
 * settings again. And what WinHTTP says of a script.
 */

interface Noted {
  /** Wall clock of the reading; both sides of these tests are one machine. */
  readonly at: number;
  readonly what: string;
  readonly users?: number;
  readonly counters?: readonly (number | null)[];
}

const noticeMs = 2_000;
const settingsKey = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const hive = (n: number) => `HKEY_USERS\\S-1-5-21-1004336348-1177238915-682003330-${n}`;

let wine: Wine;
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), "lynceus-windows-"));
  wine = startWine();
});
afterAll(() => {
  wine?.stop();
  if (directory) rmSync(directory, { recursive: true, force: true });
});

describe("a change is noticed within two seconds and without polling:", () => {
  let started: Started;
  let output: string;
  let watcher: FSWatcher;
  let onLine = () => {};
  const lines = (): Noted[] =>
    existsSync(output)
      ? readFileSync(output, "utf8")
          .split("\n")
          // The last is empty, or a line that is being written.
          .slice(0, -1)
          .map((line) => JSON.parse(line) as Noted)
      : [];
  /** Waits for a reading of which this is true; vitest's own time is the bound. */
  const reading = (isIt: (noted: Noted) => boolean) =>
    new Promise<Noted>((resolve) => {
      onLine = () => {
        const found = lines().find(isIt);
        if (found) resolve(found);
      };
      onLine();
    });

  beforeAll(async () => {
    output = path.join(directory, "noted.jsonl");
    watcher = watch(directory, () => onLine());
    await wine.importRegistry({ [hive(1001)]: {} });
    const program = await bundleForWindows(path.join(import.meta.dirname, "../windows/watch.ts"), directory);
    started = wine.start(nodeExe(), [wine.windowsPath(program), wine.windowsPath(output)]);
    await reading(({ what }) => what === "started");
  });
  afterAll(async () => {
    watcher?.close();
    started?.process.kill("SIGKILL");
    await started?.ended;
  });

  /** Writes, and awaits the first reading after it of which this is true. */
  async function noticed(keys: RegistryKeys, isIt: (noted: Noted) => boolean): Promise<number> {
    const before = Date.now();
    await wine.importRegistry(keys);
    const written = Date.now();
    const { at } = await reading((noted) => noted.at >= before && isIt(noted));
    return at - written;
  }
  const connections = (n: number) => `${hive(n)}\\${settingsKey}\\Connections`;

  test("the first blob of a user whose key was not there", async () => {
    const values = { DefaultConnectionSettings: bytes(vectors.D4) };
    expect(
      await noticed({ [connections(1001)]: values }, ({ counters }) => counters?.includes(12) === true),
    ).toBeLessThan(noticeMs);
  });

  test("another blob in the same value, again and again", async () => {
    for (const [vector, counter] of [
      ["D3", 7],
      ["D5", 20],
      ["D7", 41],
    ] as const) {
      const values = { DefaultConnectionSettings: bytes(vectors[vector]) };
      const ms = await noticed({ [connections(1001)]: values }, ({ counters }) => counters?.includes(counter) === true);
      expect(ms).toBeLessThan(noticeMs);
    }
  });

  test("the second blob too of a user whose keys are just being made", async () => {
    const users = lines().at(-1)?.users ?? 0;
    const write = (n: number, vector: "D2" | "D3" | "D4", isIt: (noted: Noted) => boolean) =>
      noticed({ [connections(n)]: { DefaultConnectionSettings: bytes(vectors[vector]) } }, isIt);
    const number = ({ counters }: Noted, counter: number) => counters?.filter((one) => one === counter).length;
    await write(1001, "D2", ({ counters }) => counters?.includes(4) === true);
    for (let n = 1; n <= 20; n++) {
      await write(2000 + n, "D4", (noted) => number(noted, 12) === 1 && number(noted, 7) === n - 1);
      await write(2000 + n, "D3", (noted) => number(noted, 12) === 0 && number(noted, 7) === n);
    }
    const hives = Array.from({ length: 20 }, (_, index) => hive(2001 + index));
    await noticed(Object.fromEntries(hives.map((key) => [key, null])), (noted) => noted.users === users);
  });

  test("what changes when its key is watched already and others are not yet", async () => {
    const program = await bundleForWindows(
      path.join(import.meta.dirname, "../windows/arming.ts"),
      path.join(directory, "arming"),
    );
    const [early, late] = ["Early", "Late"].map((name) => `HKEY_CURRENT_USER\\Software\\LynceusTest\\${name}`) as [
      string,
      string,
    ];
    await wine.importRegistry({ [early]: {}, [late]: {} });
    const told = path.join(directory, "told.txt");
    const short = (key: string) => key.replace("HKEY_CURRENT_USER", "HKCU");
    const { code } = await wine.run(
      nodeExe(),
      [wine.windowsPath(program), wine.windowsPath(told), short(early), short(late)],
      { timeoutMs: 30_000 },
    );
    expect(code).toBe(0);
    expect(readFileSync(told, "utf8")).toBe("told");
  });

  test("a sign-in, a change in the new hive, and the sign-out", async () => {
    const users = lines().at(-1)?.users ?? 0;
    expect(await noticed({ [hive(1002)]: {} }, (noted) => noted.users === users + 1)).toBeLessThan(noticeMs);
    const values = { DefaultConnectionSettings: bytes(vectors.D2) };
    expect(
      await noticed({ [connections(1002)]: values }, ({ counters }) => counters?.includes(4) === true),
    ).toBeLessThan(noticeMs);
    expect(await noticed({ [hive(1002)]: null }, (noted) => noted.users === users)).toBeLessThan(noticeMs);
  });

  test.each([
    ["a policy", `HKEY_LOCAL_MACHINE\\Software\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings`],
    ["a policy of Lync", `${hive(1001)}\\Software\\Policies\\Microsoft\\Office\\16.0\\Lync`],
    [
      "the WinHTTP proxy of 32-bit programs",
      `HKEY_LOCAL_MACHINE\\Software\\WOW6432Node\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\Connections`,
    ],
    ["NTLM's level", "HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Control\\Lsa"],
  ])("%s", async (_name, key) => {
    expect(await noticed({ [key]: { LynceusTest: 1 } }, ({ what }) => what === "settings")).toBeLessThan(noticeMs);
  });
});

describe("WinHttpGetProxyForUrl, asked in a child process,", () => {
  let program: string;
  beforeAll(async () => {
    program = await bundleForWindows(path.join(import.meta.dirname, "../windows/winhttp.ts"), directory);
  });
  async function ask(pacUrl: string, ...urls: string[]): Promise<WinHttpReply> {
    const output = path.join(directory, "winhttp.json");
    const { code, output: said } = await wine.run(nodeExe(), [
      wine.windowsPath(program),
      wine.windowsPath(output),
      pacUrl,
      ...urls,
    ]);
    expect(`${code} ${said}`).toBe("0 ");
    return JSON.parse(readFileSync(output, "utf8")) as WinHttpReply;
  }

  test("gives the way that a script names for each address", async () => {
    const server = createServer((_request, response) => {
      response.setHeader("content-type", "application/x-ns-proxy-autoconfig");
      response.end(
        'function FindProxyForURL(url, host) { return host == "lync.contoso.com" ? "DIRECT" : "PROXY px1.contoso.com:8080"; }',
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const pacUrl = `http://127.0.0.1:${port}/proxy.pac`;
    expect(await ask(pacUrl, "https://mail.contoso.com/EWS/Exchange.asmx", "https://lync.contoso.com/")).toEqual({
      answers: [
        { ok: true, list: "PROXY px1.contoso.com:8080" },
        { ok: true, list: "DIRECT" },
      ],
      dhcpUrl: null,
    });
  });

  test("says by its code that a script cannot be had", async () => {
    const { answers } = await ask("http://127.0.0.1:1/proxy.pac", "https://mail.contoso.com/");
    expect(answers).toEqual([{ ok: false, error: "error 12167" }]);
  });
});
