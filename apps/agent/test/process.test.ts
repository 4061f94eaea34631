import { type ChildProcess, execFile, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Policy } from "@lynceus/protocol/policy";
import { issueCertificate, makeAuthority } from "@lynceus/testkit/certificates";
import { listen } from "@lynceus/testkit/listening";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { formatEnrolmentToken } from "../src/enrolment-token.ts";
import { spkiSha256 } from "../src/link/trust.ts";
import { type Peer, type ScriptedCollector, scriptedCollector } from "./support/collector.ts";
import { temporaryDirectory } from "./support/temporary.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const run = promisify(execFile);
const machineId = "22222222-2222-4222-8222-222222222222";

/** The bundle, outside the source tree: what it needs it has to bring along. */
let dist: string;
beforeAll(async () => {
  dist = mkdtempSync(join(tmpdir(), "lynceus dist "));
  await run(process.execPath, [join(root, "build.mjs"), dist], { cwd: root });
}, 60_000);
afterAll(() => rmSync(dist, { recursive: true, force: true }));

/** Runs to its end. */
async function agent(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(dist, "main.js"), ...args], {
    env: { PATH: process.env.PATH, ...env },
    cwd: tmpdir(),
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

interface Service {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  output(): string;
}

function service(args: string[], env: Record<string, string> = {}, nodeArgs: string[] = []): Service {
  const child = spawn(process.execPath, [...nodeArgs, join(dist, "main.js"), "run", ...args], {
    env: { PATH: process.env.PATH, ...env },
    cwd: tmpdir(),
  });
  let output = "";
  const collect = (text: Buffer) => {
    output += text.toString();
  };
  child.stdout?.on("data", collect);
  child.stderr?.on("data", collect);
  const exit = once(child, "close").then(([code]) => code as number | null);
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exit;
  });
  return { child, exit, output: () => output };
}

async function securedCollector(): Promise<{ collector: ScriptedCollector; token: string }> {
  const authority = await makeAuthority();
  const tls = await issueCertificate(authority, { names: ["collector.test"], send: [authority] });
  const collector = await scriptedCollector({ tls });
  onTestFinished(collector.close);
  const pin = spkiSha256(new X509Certificate(authority.pem));
  return { collector, token: formatEnrolmentToken({ url: collector.url, secret: "s3cret", pin }) };
}

/** A control page on loopback is all that is probed. */
async function probedPolicy(): Promise<{ policy: Policy; requests: () => number; port: number }> {
  let requests = 0;
  const server = await listen(
    createServer((_request, response) => {
      requests++;
      response.end("Microsoft Connect Test");
    }),
  );
  onTestFinished(server.close);
  const policy: Policy = {
    version: 3,
    targets: [
      {
        id: "control",
        service: "control",
        kind: "http",
        host: "127.0.0.1",
        port: server.port,
        path: "/connecttest.txt",
        locations: ["inside", "vpn", "outside", "unknown"],
        accept: [],
        cadence: "cycle",
        expectedIssuers: [],
      },
    ],
    groups: [],
    intervals: { cycleMinutes: 60, settingsMinutes: 60, heartbeatSeconds: 30 },
    beacon: null,
    insideSuffixes: [],
    minSecondsPerHost: 0,
    expectations: {
      smtpDomains: [],
      sipDomains: [],
      requiresProxy: false,
      extendedProtection: "unknown",
      ssoHosts: [],
      require5060: false,
      responseGroups: false,
      exchangeOnline: false,
    },
  };
  return { policy, requests: () => requests, port: server.port };
}

async function enrolled(collector: ScriptedCollector): Promise<void> {
  const peer = await collector.connection();
  expect((await peer.next("enroll")).token).toBe("s3cret");
  peer.send({ v: 1, type: "enrolled", machineId, approved: true });
  await peer.closed;
}

/** Reads observations until one with this key is there, whatever else is said in between. */
async function keysUntil(peer: Peer, wanted: string): Promise<{ keys: string[]; lastSeq: number }> {
  const keys: string[] = [];
  for (;;) {
    const message = await peer.next("observations");
    keys.push(...message.items.map((item) => item.key));
    const lastSeq = Math.max(
      ...message.items.map((item) => item.seq),
      ...message.confirmations.map((item) => item.seq),
    );
    if (keys.includes(wanted)) return { keys, lastSeq };
  }
}

describe("the agent as a process", () => {
  it("enrols, observes, reports, survives kill -9 without losing what was not acknowledged, and says goodbye", async () => {
    const { collector, token } = await securedCollector();
    const { policy, requests, port } = await probedPolicy();
    const dataDir = join(temporaryDirectory(), "data dir");
    const args = [
      "--data-dir",
      dataDir,
      "--allowed-suffixes",
      "127.0.0.1",
      "--allowed-ports",
      String(port),
      "--hostname",
      "ws-1",
    ];
    const first = service([...args, "--token", token]);
    await enrolled(collector);
    const peer = await collector.connection();
    const hello = await peer.next("hello");
    expect(hello).toMatchObject({ machineId, hostname: "ws-1", lastSeq: 0, policyVersion: 0 });
    peer.send({ v: 1, type: "welcome", ackedSeq: 0, now: Date.now() });
    expect((await peer.next("heartbeat")).resources.rssBytes).toBeGreaterThan(1e6);
    peer.send({ v: 1, type: "policy", policy });
    const { keys, lastSeq } = await keysUntil(peer, "system");
    expect(keys).toContain("settings");
    expect(keys.some((key) => key.startsWith("probe:") && key.endsWith(":control:configured"))).toBe(true);
    expect(requests()).toBe(1);

    // Nothing was acknowledged: after kill -9 all of it comes again, with its numbers.
    first.child.kill("SIGKILL");
    await first.exit;
    expect(first.output()).toBe("");
    const second = service(["--data-dir", dataDir]);
    const again = await collector.connection();
    const helloAgain = await again.next("hello");
    expect(helloAgain).toMatchObject({ machineId, hostname: "ws-1", epoch: hello.epoch, policyVersion: 3 });
    // It probes with the stored policy at once, connected or not: more may be waiting by now.
    expect(helloAgain.lastSeq).toBeGreaterThanOrEqual(lastSeq);
    expect(helloAgain.bootId).not.toBe(hello.bootId);
    again.send({ v: 1, type: "welcome", ackedSeq: 1, now: Date.now() });
    await again.next("heartbeat");
    const resent = await again.next("observations");
    expect(resent.items.map((item) => item.seq).slice(0, lastSeq - 1)).toEqual(
      Array.from({ length: lastSeq - 1 }, (_, n) => n + 2),
    );

    const status = await agent(["status", "--data-dir", dataDir]);
    expect(status).toMatchObject({ code: 0, stderr: "" });
    expect(status.stdout).toContain(`running, pid ${second.child.pid}`);
    expect(status.stdout).toContain(machineId);

    const other = await agent(["run", "--data-dir", dataDir]);
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(/another agent runs on the data directory/);

    second.child.kill("SIGTERM");
    let message = await again.next("observations").catch(() => null);
    while (message) message = await again.next("observations").catch(() => null);
    expect(await again.closed).toBe(1000);
    expect(await second.exit).toBe(0);
    expect(second.output()).toBe("");
    expect((await agent(["status", "--data-dir", dataDir])).code).toBe(1);

    for (const name of readdirSync(dataDir)) expect(statSync(join(dataDir, name)).mode & 0o077).toBe(0);
    expect(readFileSync(join(dataDir, "agent.log"), "utf8")).not.toContain("s3cret");
  }, 60_000);

  it("probes when an admin asks, and tells its progress", async () => {
    const { collector, token } = await securedCollector();
    const { policy, requests, port } = await probedPolicy();
    const dataDir = join(temporaryDirectory(), "data");
    service([
      "--data-dir",
      dataDir,
      "--allowed-suffixes",
      "127.0.0.1",
      "--allowed-ports",
      String(port),
      "--token",
      token,
    ]);
    await enrolled(collector);
    const peer = await collector.connection();
    await peer.next("hello");
    peer.send({ v: 1, type: "welcome", ackedSeq: 0, now: Date.now() });
    await peer.next("heartbeat");
    peer.send({ v: 1, type: "policy", policy });
    await keysUntil(peer, "system");
    const id = "33333333-3333-4333-8333-333333333333";
    peer.send({ v: 1, type: "command", id, command: "check-now" });
    expect(await peer.next("command-progress", "observations")).toMatchObject({ id, state: "started" });
    expect(await peer.next("command-progress", "observations")).toMatchObject({
      id,
      state: "progress",
      done: 1,
      total: 1,
    });
    expect(requests()).toBe(2);
  }, 60_000);

  it("lets probes wait when it used more of the processor than it may, and says so", async () => {
    const { collector, token } = await securedCollector();
    const dataDir = join(temporaryDirectory(), "data");
    const where = ["--data-dir", dataDir, "--allowed-suffixes", "contoso.com"];
    // 3 ms in five minutes: its connection alone takes more.
    service([...where, "--token", token, "--processor-budget", "0.001"]);
    await enrolled(collector);
    const peer = await collector.connection();
    await peer.next("hello");
    const { policy } = await probedPolicy();
    peer.send({ v: 1, type: "policy", policy: { ...policy, intervals: { ...policy.intervals, heartbeatSeconds: 1 } } });
    peer.send({ v: 1, type: "welcome", ackedSeq: 0, now: Date.now() });
    for (let acts = 0; acts === 0; ) {
      const { resources } = await peer.next("heartbeat", "observations");
      expect(resources.maxProcessorPercent).toBe(0.001);
      acts = resources.limitActs?.processor ?? 0;
      peer.send({ v: 1, type: "heartbeat-ack", now: Date.now(), policyVersion: 3 });
    }
    expect(readFileSync(join(dataDir, "agent.log"), "utf8")).toMatch(
      /"warn","message":"used more of the processor than it may; probes wait","percent":[\d.]+,"allowed":0\.001/,
    );
  }, 60_000);

  it("starts anew when it holds more memory than it may, enrolled or not, and says so afterwards", async () => {
    const { collector, token } = await securedCollector();
    const dataDir = join(temporaryDirectory(), "data");
    const where = ["--data-dir", dataDir, "--allowed-suffixes", "contoso.com"];
    const leak = join(temporaryDirectory(), "leak.cjs");
    writeFileSync(leak, "globalThis.leak = Buffer.alloc(200 * 1024 * 1024, 1);");
    const first = service([...where, "--token", token, "--memory-budget", "128"], {}, ["--require", leak]);
    await collector.connection();
    expect(await first.exit).toBe(1);
    const log = readFileSync(join(dataDir, "agent.log"), "utf8");
    expect(log).toMatch(/"error","message":"uses more memory than it may and starts anew","amount":\d+/);
    // The service manager's part.
    service([...where, "--token", token, "--memory-budget", "128"]);
    await enrolled(collector);
    let resources: { limitActs?: { memory: number } | undefined } = {};
    while (!resources.limitActs) {
      const peer = await collector.connection();
      const hello = await peer.next("hello").catch(() => null);
      if (!hello) continue;
      peer.send({ v: 1, type: "welcome", ackedSeq: 0, now: Date.now() });
      ({ resources } = await peer.next("heartbeat", "observations").catch(() => ({ resources: {} })));
    }
    expect(resources.limitActs.memory).toBe(1);
  }, 60_000);

  it("keeps to its fence, whatever the policy says, and reports the target as fenced", async () => {
    const { collector, token } = await securedCollector();
    const { policy, requests } = await probedPolicy();
    const dataDir = join(temporaryDirectory(), "data");
    service(["--data-dir", dataDir, "--allowed-suffixes", "contoso.com", "--token", token]);
    await enrolled(collector);
    const peer = await collector.connection();
    await peer.next("hello");
    peer.send({ v: 1, type: "welcome", ackedSeq: 0, now: Date.now() });
    await peer.next("heartbeat");
    peer.send({ v: 1, type: "policy", policy });
    const { items } = await peer.next("observations");
    const probe = items.find((item) => item.kind === "probe");
    expect(probe?.facts).toMatchObject({ target: "control", fenced: true });
    expect(requests()).toBe(0);
  }, 60_000);

  it("says in one line why its enrolment was refused, and ends", async () => {
    const { collector, token } = await securedCollector();
    const dataDir = join(temporaryDirectory(), "data");
    const started = service(["--data-dir", dataDir, "--allowed-suffixes", "contoso.com", "--token", token]);
    const peer = await collector.connection();
    await peer.next("enroll");
    peer.send({
      v: 1,
      type: "reject",
      reason: "token-expired",
      message: "it ended yesterday",
      retryAfterSeconds: null,
    });
    expect(await started.exit).toBe(1);
    expect(started.output()).toBe(
      "lynceus-agent: the collector refused the enrolment: token-expired, it ended yesterday\n",
    );
    expect(existsSync(join(dataDir, "machine.json"))).toBe(false);
  }, 60_000);

  it("stops when it is asked to while the collector still thinks about its enrolment", async () => {
    const { collector, token } = await securedCollector();
    const dataDir = join(temporaryDirectory(), "data");
    const started = service(["--data-dir", dataDir, "--allowed-suffixes", "contoso.com", "--token", token]);
    await (await collector.connection()).next("enroll");
    started.child.kill("SIGTERM");
    expect(await started.exit).toBe(0);
  }, 20_000);

  it("enrols by itself where it is asked to, once", async () => {
    const { collector, token } = await securedCollector();
    const dataDir = join(temporaryDirectory(), "data");
    const args = ["enroll", "--data-dir", dataDir, "--allowed-suffixes", "contoso.com"];
    const done = agent(args, { LYNCEUS_ENROLL_TOKEN: token });
    await enrolled(collector);
    expect(await done).toEqual({ code: 0, stdout: `enrolled as ${machineId}\n`, stderr: "" });
    const key = readFileSync(join(dataDir, "machine.key"), "utf8");
    expect(await agent(args, { LYNCEUS_ENROLL_TOKEN: token })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^lynceus-agent: this machine is enrolled already as .*\n$/),
    });
    expect(readFileSync(join(dataDir, "machine.key"), "utf8")).toBe(key);
    expect(collector.count()).toBe(1);
  }, 60_000);

  it("does not let the environment load code into it or move its trust", async () => {
    const directory = temporaryDirectory();
    const mark = join(directory, "mark");
    const evil = join(directory, "evil.cjs");
    // It loads into the first process, which does nothing but start the second.
    writeFileSync(evil, `require("node:fs").appendFileSync(${JSON.stringify(mark)}, "x")`);
    const { code, stdout, stderr } = await agent(["version"], {
      NODE_OPTIONS: `--require ${JSON.stringify(evil)}`,
      NODE_EXTRA_CA_CERTS: "/nonexistent",
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "0.1.0\n" });
    expect(stderr).not.toMatch(/at .*main\.js/);
    expect(readFileSync(mark, "utf8")).toBe("x");
  }, 60_000);

  it("ends with the process that started it again with a clean environment", async () => {
    const dataDir = join(temporaryDirectory(), "data");
    const { collector, token } = await securedCollector();
    const started = service(["--data-dir", dataDir, "--allowed-suffixes", "contoso.com", "--token", token], {
      NODE_OPTIONS: "--no-deprecation",
    });
    await enrolled(collector);
    const peer = await collector.connection();
    await peer.next("hello");
    peer.send({ v: 1, type: "welcome", ackedSeq: 0, now: Date.now() });
    await peer.next("heartbeat");
    started.child.kill("SIGKILL");
    // On a Node that replaces the process there is but one; else the child notices and says goodbye.
    expect([1000, 1005, 1006]).toContain(await peer.closed);
  }, 60_000);

  it.each([
    [[], /no command given/],
    [["fly"], /unknown command "fly"/],
    [["run", "--bogus"], /--bogus/],
    [["run", "--collector", "collector.contoso.com"], /has no scheme/],
    [["run", "--token", "abc"], /does not look like an enrolment token/],
    [["run", "--allowed-ports", "80,99999"], /"99999" is not a port/],
    [["status", "--token", "x"], /--token/],
    [["version", "now"], /now/],
  ])(
    "answers %j with one line and exit code 2",
    async (args, why) => {
      const { code, stdout, stderr } = await agent(args);
      expect(code).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toMatch(why);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    },
    60_000,
  );

  it("says in one line that it is not enrolled, and where it cannot write", async () => {
    const directory = temporaryDirectory();
    expect(await agent(["run", "--data-dir", directory])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^lynceus-agent: this machine is not enrolled; .*\n$/),
    });
    writeFileSync(join(directory, "file"), "");
    expect(await agent(["run", "--data-dir", join(directory, "file", "x")])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^lynceus-agent: the data directory .* cannot be used: ENOTDIR\n$/),
    });
  }, 60_000);
});
