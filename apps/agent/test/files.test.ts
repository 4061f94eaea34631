import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildPolicy } from "@lynceus/protocol/presets";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFile, replaceFile } from "../src/atomic-file.ts";
import { loadConfig, saveConfig } from "../src/config.ts";
import { formatEnrolmentToken, parseEnrolmentToken } from "../src/enrolment-token.ts";
import { ensureKey, loadKey, loadMachineId, saveMachineId } from "../src/identity.ts";
import { lockHolder, takeLock } from "../src/lock.ts";
import { openLog } from "../src/log.ts";
import { networkFingerprint } from "../src/network-fingerprint.ts";
import { steeringVariables, withoutSteering } from "../src/node-environment.ts";
import { fencePolicy, lenientPolicy, loadPolicy, savePolicy } from "../src/policy.ts";
import { defaultBudget } from "../src/self-limits.ts";
import { formatStatus, readStatus } from "../src/status.ts";
import { testClock } from "./support/clock.ts";
import { temporaryDirectory } from "./support/temporary.ts";

const mode = (path: string) => statSync(path).mode & 0o777;
const policy = buildPolicy({ ews: ["mail.contoso.com"], smtpDomains: ["contoso.com"], sipDomains: ["contoso.com"] }, 4);

describe("a file", () => {
  it("is made once and never overwritten", () => {
    const path = join(temporaryDirectory(), "f");
    expect(createFile(path, "one")).toBe(true);
    expect(createFile(path, "two")).toBe(false);
    expect(readFileSync(path, "utf8")).toBe("one");
    expect(mode(path)).toBe(0o600);
  });

  it("is replaced whole, and stays closed to others", () => {
    const path = join(temporaryDirectory(), "f");
    replaceFile(path, "one");
    replaceFile(path, "two");
    expect(readFileSync(path, "utf8")).toBe("two");
    expect(mode(path)).toBe(0o600);
  });
});

describe("the machine's key", () => {
  it("is made once, kept to the owner, and is the same ever after", () => {
    const directory = temporaryDirectory();
    expect(loadKey(directory)).toBeNull();
    const key = ensureKey(directory);
    expect(mode(join(directory, "machine.key"))).toBe(0o600);
    expect(ensureKey(directory).publicKey).toBe(key.publicKey);
    expect(loadKey(directory)?.sign("x")).toBe(key.sign("x"));
  });

  it("is never replaced when it cannot be read", () => {
    const directory = temporaryDirectory();
    const path = join(directory, "machine.key");
    writeFileSync(path, "rubbish");
    expect(() => ensureKey(directory)).toThrow(/holds no Ed25519 key/);
    expect(readFileSync(path, "utf8")).toBe("rubbish");
  });
});

describe("the machine's id", () => {
  it("is kept, and not overwritten by another", () => {
    const directory = temporaryDirectory();
    const id = "11111111-1111-4111-8111-111111111111";
    expect(loadMachineId(directory)).toBeNull();
    saveMachineId(directory, id);
    expect(() => saveMachineId(directory, "22222222-2222-4222-8222-222222222222")).toThrow(/enrolled already/);
    expect(loadMachineId(directory)).toBe(id);
  });

  it("that is damaged is an error, not a new enrolment", () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "machine.json"), "{}");
    expect(() => loadMachineId(directory)).toThrow(/no machine id/);
  });
});

describe("an enrolment token", () => {
  it("comes back as it was made", () => {
    const hex = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 });
    const token = fc.record({
      url: fc.webUrl(),
      secret: fc.string({ minLength: 1, maxLength: 100 }),
      pin: fc.option(hex, { nil: null }),
    });
    fc.assert(
      fc.property(token, (made) => {
        expect(parseEnrolmentToken(formatEnrolmentToken(made))).toEqual(made);
      }),
    );
  });

  it("that is cut short or of another kind is refused without its secret", () => {
    const text = formatEnrolmentToken({ url: "wss://c:1", secret: "do-not-show", pin: null });
    for (const broken of [text.slice(0, -4), text.slice(5), "lyn1.", "lyn1.e30", "lyn2.x"]) {
      expect(() => parseEnrolmentToken(broken)).toThrow(/--token/);
      expect(() => parseEnrolmentToken(broken)).not.toThrow(/do-not-show/);
    }
  });

  it("never throws anything but one line, whatever the text", () => {
    fc.assert(
      fc.property(fc.string(), (rest) => {
        try {
          parseEnrolmentToken(`lyn1.${Buffer.from(rest).toString("base64url")}`);
        } catch (error) {
          expect((error as Error).message).toMatch(/^--token [^\n]*$/);
        }
      }),
    );
  });
});

describe("the config file", () => {
  const config = {
    collector: "wss://collector.contoso.com:7443",
    pin: "ab".repeat(32),
    proxySettings: null,
    allowedSuffixes: ["contoso.com"],
    allowedPorts: [443],
    hostname: null,
    proxy: "http://proxy.contoso.com:8080",
    site: "Berlin",
    tags: ["vdi", "pilot"],
    budget: { processorPercent: 5, rssBytes: 100_000_000 },
  };

  it("comes back as it was saved", () => {
    const directory = temporaryDirectory();
    expect(loadConfig(directory)).toBeNull();
    saveConfig(directory, config);
    expect(loadConfig(directory)).toEqual(config);
  });

  it("of an older agent is read, with defaults for what it did not know", () => {
    const directory = temporaryDirectory();
    const { proxy: _p, site: _s, tags: _t, budget: _b, ...old } = config;
    writeFileSync(join(directory, "config.json"), JSON.stringify(old));
    expect(loadConfig(directory)).toEqual({ ...old, proxy: null, site: null, tags: [], budget: defaultBudget });
  });

  it.each([
    ["{", /damaged/],
    [JSON.stringify({ ...config, collector: "http://x" }), /scheme/],
    [JSON.stringify({ ...config, pin: "00" }), /pin/],
    [JSON.stringify({ ...config, allowedSuffixes: undefined }), /fence/],
    [JSON.stringify({ ...config, allowedPorts: [0] }), /port/],
  ])("that says %s is refused", (text, why) => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "config.json"), text);
    expect(() => loadConfig(directory)).toThrow(why);
  });
});

describe("the policy", () => {
  it("is kept over a restart, and a damaged one is none", () => {
    const directory = temporaryDirectory();
    expect(loadPolicy(directory)).toBeNull();
    savePolicy(directory, policy);
    expect(loadPolicy(directory)).toEqual(policy);
    writeFileSync(join(directory, "policy.json"), "{");
    expect(loadPolicy(directory)).toBeNull();
  });

  it("loses a beacon outside the fence, and names the targets outside, which stay to be reported", () => {
    const beacon = { url: "https://intranet.fabrikam.com/", spkiSha256: "ab".repeat(32) };
    const fence = { suffixes: ["contoso.com"], ports: [443, 5060, 5061] };
    const result = fencePolicy({ ...policy, beacon }, fence);
    expect(result.policy.beacon).toBeNull();
    expect(result.policy.targets).toEqual(policy.targets);
    expect(result.outside).toEqual(expect.arrayContaining(["control", "beacon"]));
    expect(result.outside).not.toContain("ews");
    const inside = { url: "https://beacon.contoso.com/", spkiSha256: "ab".repeat(32) };
    expect(fencePolicy({ ...policy, beacon: inside }, fence).policy.beacon).toEqual(inside);
  });

  it("of any shape is read or refused, and never throws", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.jsonValue()), (value, targets) => {
        lenientPolicy(value);
        const read = lenientPolicy({ v: 1, type: "policy", policy: { ...policy, targets } });
        expect(read.ok && read.policy.targets).toEqual([]);
      }),
    );
  });
});

describe("the lock", () => {
  it("keeps a second agent off, and is free again afterwards", () => {
    const directory = temporaryDirectory();
    const release = takeLock(directory);
    expect(lockHolder(directory)).toBe(process.pid);
    expect(() => takeLock(directory)).toThrow(/another agent runs/);
    release();
    expect(lockHolder(directory)).toBeNull();
    takeLock(directory)();
  });

  it.each([
    ["a dead process", JSON.stringify({ pid: 2 ** 22 + 5, start: "1" })],
    ["another process with the same pid", JSON.stringify({ pid: process.pid, start: "1" })],
    ["nobody", "rubbish"],
  ])("that %s left is taken over", (_name, content) => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "agent.lock"), content);
    const release = takeLock(directory);
    expect(lockHolder(directory)).toBe(process.pid);
    release();
  });
});

describe("the log", () => {
  it("stays below its bound however much is said, and keeps the latest", () => {
    const directory = temporaryDirectory();
    const path = join(directory, "agent.log");
    const log = openLog({ path, clock: testClock(), maxBytes: 2000, keep: 2 });
    for (let n = 0; n < 500; n++) log("info", `line ${n}`);
    log.close();
    const sizes = ["", ".1", ".2"].map((suffix) => statSync(path + suffix).size);
    for (const size of sizes) expect(size).toBeLessThanOrEqual(2000);
    expect(readFileSync(path, "utf8")).toContain("line 499");
    expect(() => statSync(`${path}.3`)).toThrow();
    expect(mode(path)).toBe(0o600);
  });

  it("keeps hostile text on one line", () => {
    const path = join(temporaryDirectory(), "agent.log");
    const lines: string[] = [];
    const log = openLog({ path, clock: testClock(), echo: (line) => lines.push(line) });
    log("warn", "host", { name: 'a\n{"level":"info"}\u001b[31m' });
    log.close();
    const text = readFileSync(path, "utf8");
    expect(text.trimEnd().split("\n")).toHaveLength(1);
    expect(text).not.toContain("\u001b");
    expect(lines.join("")).toBe(text);
  });
});

describe("the environment", () => {
  it("that could steer Node is found and left out, and nothing else", () => {
    const environment = {
      PATH: "/bin",
      NODE_OPTIONS: "x",
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
      NODE_ENV: "test",
      HOME: undefined,
    };
    expect(steeringVariables(environment)).toEqual(["NODE_OPTIONS", "NODE_TLS_REJECT_UNAUTHORIZED"]);
    expect(withoutSteering(environment)).toEqual({ PATH: "/bin", NODE_ENV: "test" });
  });
});

describe("the fingerprint of the network", () => {
  const address = (cidr: string, more: object = {}) =>
    ({
      address: cidr.split("/")[0] ?? "",
      netmask: "",
      family: "IPv4",
      mac: "",
      internal: false,
      cidr,
      ...more,
    }) as never;

  it("changes with an address and with the content of a watched file, and not with its time", () => {
    const path = join(temporaryDirectory(), "settings.json");
    writeFileSync(path, "{}");
    const take = (cidr = "10.0.0.5/24") => networkFingerprint({ eth0: [address(cidr)] }, [path]);
    const before = take();
    expect(take("10.0.1.5/24")).not.toBe(before);
    writeFileSync(path, "{}");
    expect(take()).toBe(before);
    writeFileSync(path, "{ }");
    expect(take()).not.toBe(before);
  });

  it("does not change with loopback or the order of interfaces", () => {
    const one = {
      lo: [address("127.0.0.1/8", { internal: true })],
      a: [address("10.0.0.1/8")],
      b: [address("10.0.0.2/8")],
    };
    const two = { b: [address("10.0.0.2/8")], a: [address("10.0.0.1/8")] };
    expect(networkFingerprint(one, [])).toBe(networkFingerprint(two, []));
  });
});

describe("the status", () => {
  it("of a directory where nothing ever ran says so, and a damaged file does not matter", () => {
    const directory = temporaryDirectory();
    expect(formatStatus(readStatus(directory))).toMatch(/not running/);
    mkdirSync(join(directory, "x"));
    writeFileSync(join(directory, "status.json"), "{");
    expect(readStatus(directory)).toEqual({ running: null, status: null });
  });
});
