import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Configuration, settingsFactsSchema } from "@lynceus/protocol/facts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runCommand } from "../src/platform/run-command.ts";
import { probedInTurn, readSettings, type SettingsContext } from "../src/proxy/settings.ts";
import { temporaryDirectory } from "./support/temporary.ts";

const missing = async () => {
  throw Object.assign(new Error("spawn gsettings ENOENT"), { code: "ENOENT" });
};

const machine = (parts: Partial<SettingsContext> = {}): SettingsContext => ({
  platform: "linux",
  environment: {},
  settingsFile: null,
  run: missing,
  uid: 1000,
  salt: "salt",
  ...parts,
});

const gnome =
  (mode: string, more = "") =>
  async () =>
    `org.gnome.system.proxy mode '${mode}'\norg.gnome.system.proxy autoconfig-url ''\n${more}`;
const gnomeProxy =
  "org.gnome.system.proxy.https host 'px2.contoso.com'\norg.gnome.system.proxy.https port 8443\norg.gnome.system.proxy ignore-hosts ['localhost']\n";

const inForce = async (ctx: SettingsContext) => {
  const { facts } = await readSettings(ctx);
  expect(settingsFactsSchema.safeParse(facts).error).toBeUndefined();
  return facts.configurations.map(({ settings }) => settings);
};

describe("what is in force", () => {
  test("is nothing where no source says anything", async () => {
    expect(await inForce(machine())).toMatchObject([{ source: "none", autoDetect: false, pacUrl: null, server: null }]);
  });

  test("is the environment's, without its password", async () => {
    const settings = await inForce(machine({ environment: { https_proxy: "http://user:secret@px1:3128" } }));
    expect(settings).toMatchObject([{ source: "environment", server: expect.stringContaining("px1:3128") }]);
    expect(JSON.stringify(settings)).not.toContain("secret");
  });

  test("is the desktop's before the environment's", async () => {
    const environment = { https_proxy: "http://px1:3128" };
    expect(await inForce(machine({ environment, run: gnome("manual", gnomeProxy) }))).toMatchObject([
      { source: "gnome", server: "https=px2.contoso.com:8443" },
    ]);
    expect(await inForce(machine({ environment, run: gnome("none") }))).toMatchObject([{ source: "environment" }]);
  });

  test("is KDE's where GNOME says nothing, and the other way round", async () => {
    const home = temporaryDirectory();
    writeFileSync(join(home, "kioslaverc"), "[Proxy Settings]\nProxyType=1\nhttpsProxy=http://px3.contoso.com 8080\n");
    const environment = { XDG_CONFIG_HOME: home };
    const kde = [{ source: "kde", server: expect.stringContaining("px3.contoso.com:8080") }];
    expect(await inForce(machine({ environment }))).toMatchObject(kde);
    expect(await inForce(machine({ environment, run: gnome("none") }))).toMatchObject(kde);
    expect(await inForce(machine({ environment, run: gnome("manual", gnomeProxy) }))).toMatchObject([
      { source: "gnome" },
    ]);
    writeFileSync(join(home, "kioslaverc"), "[Proxy Settings]\nProxyType=0\n");
    expect(await inForce(machine({ environment, run: gnome("manual", gnomeProxy) }))).toMatchObject([
      { source: "gnome" },
    ]);
  });

  test("is detection where the desktop's script has no address", async () => {
    expect(await inForce(machine({ run: gnome("auto") }))).toMatchObject([{ source: "gnome", autoDetect: true }]);
  });

  test("is macOS's own where the system is macOS", async () => {
    const run = async (command: string) => {
      expect(command).toBe("/usr/sbin/scutil");
      return "<dictionary> {\n  HTTPSEnable : 1\n  HTTPSPort : 8080\n  HTTPSProxy : px1\n}\n";
    };
    expect(await inForce(machine({ platform: "darwin", run }))).toMatchObject([
      { source: "macos", server: "https=px1:8080" },
    ]);
  });
});

describe("sources", () => {
  test("are all named with what came of them", async () => {
    const { facts } = await readSettings(machine());
    expect(facts.sources).toEqual([
      { name: "environment", outcome: "absent" },
      { name: "gnome", outcome: "absent" },
      { name: "kde", outcome: "absent" },
      { name: "macos", outcome: "not on this system" },
    ]);
  });

  test("that break are an outcome, not an error", async () => {
    const run = async () => {
      throw new Error("Command failed: gsettings\nNo such schema");
    };
    const { facts } = await readSettings(machine({ run }));
    expect(facts.sources).toContainEqual({ name: "gnome", outcome: "gsettings: Command failed: gsettings" });
  });

  test("beside a given file are not looked at", async () => {
    const { facts, fileError } = await readSettings(machine({ settingsFile: "/nowhere.json", run: gnome("auto") }));
    expect(facts.sources).toHaveLength(1);
    expect(fileError).toContain("/nowhere.json");
  });

  test.each(["utf8", "utf16le"] as const)(
    "nor beside what netsh winhttp show advproxy printed, in %s",
    async (encoding) => {
      const settingsFile = join(temporaryDirectory(), "advproxy.txt");
      const json =
        '{"ProxyIsEnabled": true, "Proxy": "user:secret@px1.contoso.com:8080", "PerUserProxySettings": true}';
      const text = `\ufeff\r\nCurrent WinHTTP advanced proxy settings:\r\n\r\n${json}\r\n`;
      writeFileSync(settingsFile, text, encoding);
      const { facts, fileError } = await readSettings(machine({ settingsFile }));
      expect(fileError).toBeNull();
      expect(facts.configurations.map(({ settings }) => settings)).toMatchObject([
        { server: "px1.contoso.com:8080", pacUrl: null, autoDetect: false, source: "file" },
      ]);
    },
  );
});

describe("of many configurations", () => {
  const configurations = (count: number): Configuration[] =>
    Array.from({ length: count }, (_, index) => ({
      id: `c${index}`,
      settings: {} as Configuration["settings"],
      users: count - index,
      probed: index < (count <= 8 ? 8 : 6),
    }));

  test("up to eight are probed by every cycle", () => {
    for (const turn of [0, 1, 7]) expect(probedInTurn(configurations(8), turn)).toHaveLength(8);
  });

  test("the most used are never left out, and each of the others has its turn", () => {
    fc.assert(
      fc.property(fc.integer({ min: 9, max: 200 }), fc.nat(1000), (count, start) => {
        const seen = new Set<string>();
        for (let turn = start; turn < start + count; turn++) {
          const taken = probedInTurn(configurations(count), turn);
          expect(new Set(taken).size).toBe(8);
          expect(taken.slice(0, 6)).toEqual(["c0", "c1", "c2", "c3", "c4", "c5"]);
          for (const id of taken) seen.add(id);
        }
        expect(seen.size).toBe(count);
      }),
    );
  });
});

test("users are told apart by a hash that another machine's salt makes another one", async () => {
  const [one, again, other] = await Promise.all([
    readSettings(machine()),
    readSettings(machine()),
    readSettings(machine({ salt: "other" })),
  ]);
  expect(one.facts.users[0]?.id).toBe(again.facts.users[0]?.id);
  expect(one.facts.users[0]?.id).not.toBe(other.facts.users[0]?.id);
  expect(JSON.stringify(one.facts)).not.toContain("self");
});

test("a program sees only the environment it is given, and one that is missing says so", async () => {
  await expect(runCommand("/nowhere/gsettings", [], { env: {} })).rejects.toMatchObject({ code: "ENOENT" });
  const echoed = await runCommand(process.execPath, ["-e", "console.log(JSON.stringify(process.env))"], {
    env: { A: "1" },
  });
  expect(JSON.parse(echoed)).toEqual({ A: "1" });
});
