import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lynceus, type RunOptions } from "./support/cli.ts";
import { startCollector, type TestCollector } from "./support/collector.ts";

let collector: TestCollector;
const home = mkdtempSync(path.join(tmpdir(), "lynceus-cli-home-"));
const logins = { read: path.join(home, "read"), operate: path.join(home, "operate"), admin: path.join(home, "admin") };

beforeAll(async () => {
  collector = await startCollector();
  for (const [scope, directory] of Object.entries(logins)) {
    const { code, stderr } = await lynceus(["login", collector.url, "--pin", collector.pin], {
      env: { LYNCEUS_CONFIG_DIR: directory },
      stdin: `${collector.tokens[scope as "read"]}\n`,
    });
    expect(stderr).toContain("kept in");
    expect(code).toBe(0);
  }
});
afterAll(async () => {
  await collector?.stop();
  rmSync(home, { recursive: true, force: true });
});

const as = (scope: keyof typeof logins, line: string | string[], options: RunOptions = {}) =>
  lynceus(typeof line === "string" ? line.split(" ") : line, {
    ...options,
    env: { LYNCEUS_CONFIG_DIR: logins[scope], ...options.env },
  });

describe("login", () => {
  it("keeps the token for its owner alone", () => {
    const file = path.join(logins.read, "login.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(logins.read).mode & 0o777).toBe(0o700);
    expect(JSON.parse(readFileSync(file, "utf8")).token).toBe(collector.tokens.read);
  });

  it("refuses a file that others may read", async () => {
    const directory = path.join(home, "open");
    await lynceus(["login", collector.url, "--pin", collector.pin], {
      env: { LYNCEUS_CONFIG_DIR: directory },
      stdin: collector.tokens.read,
    });
    const file = path.join(directory, "login.json");
    chmodSync(file, 0o644);
    const run = await lynceus(["whoami"], { env: { LYNCEUS_CONFIG_DIR: directory } });
    expect(run).toMatchObject({ code: 3, stdout: "" });
    expect(run.stderr).toContain(`chmod 600 ${file}`);
  });

  it("shows the pin of a certificate that is not trusted, before the token is asked for", async () => {
    const run = await lynceus(["login", collector.url], { env: { LYNCEUS_CONFIG_DIR: path.join(home, "x") } });
    expect(run.code).toBe(3);
    expect(run.stderr).toContain(`--pin ${collector.pin}`);
  });

  it("refuses another pin", async () => {
    const run = await lynceus(["login", collector.url, "--pin", "0".repeat(64)], {
      env: { LYNCEUS_CONFIG_DIR: path.join(home, "x") },
      stdin: collector.tokens.read,
    });
    expect(run.code).toBe(3);
    expect(run.stderr).toContain("another pin");
  });

  it("refuses a token that is none, and keeps nothing", async () => {
    const directory = path.join(home, "wrong");
    const run = await lynceus(["login", collector.url, "--pin", collector.pin], {
      env: { LYNCEUS_CONFIG_DIR: directory },
      stdin: "lyn_nobody-made-this-one",
    });
    expect(run.code).toBe(3);
    expect(statSync(path.join(directory, "login.json"), { throwIfNoEntry: false })).toBeUndefined();
  });

  it("says who one is, without the token", async () => {
    const run = await as("operate", "whoami");
    expect(run.stdout).toMatch(/token +cli operate/);
    expect(run.stdout).not.toContain(collector.tokens.operate);
  });

  it("is needed", async () => {
    const run = await lynceus(["machines"], { env: { LYNCEUS_CONFIG_DIR: path.join(home, "nobody") } });
    expect(run.code).toBe(3);
    expect(run.stderr).toContain("lynceus login");
  });

  it("is said to be gone when the collector is", async () => {
    const run = await lynceus(["counts"], {
      env: { LYNCEUS_URL: "http://127.0.0.1:9", LYNCEUS_TOKEN: collector.tokens.read },
    });
    expect(run).toMatchObject({ code: 4, stdout: "" });
  });
});

describe("machines", () => {
  it("are a table, CSV or JSON of what the filter matches", async () => {
    const table = await as("read", "machines site:Bern");
    expect(table.stdout).toMatch(/^NAME +STATUS/);
    expect(table.stdout).toContain("BERN-1");
    expect(table.stdout).not.toContain("GRAZ-1");
    const csv = await as("read", "machines --columns name,site -o csv");
    expect(csv.stdout).toBe("name,site\r\nBERN-1,Bern\r\nGRAZ-1,Graz\r\n");
    const json = JSON.parse((await as("read", "machines -o json tag:vip")).stdout);
    expect(json.map(({ hostname }: { hostname: string }) => hostname)).toEqual(["GRAZ-1"]);
  });

  it("say how many more there are", async () => {
    const run = await as("read", "machines -n 1");
    expect(run.stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(run.stderr).toContain("1 of 2; --limit 0 gives all of them");
  });

  it("name what is wrong with a filter or a column", async () => {
    const filter = await as("read", "machines colour:red");
    expect(filter.code).toBe(2);
    expect(filter.stderr).toContain("colour");
    const column = await as("read", "machines --columns name,colour");
    expect(column).toMatchObject({ code: 2, stdout: "" });
    expect(column.stderr).toContain("use some of name,status");
  });

  it("are shown one at a time, by name, with the text for a ticket", async () => {
    const run = await as("read", "machine bern-1");
    expect(run.stdout).toContain(collector.parts.BERN.machine);
    expect((await as("read", "machine BERN-1 --ticket")).stdout).toContain("BERN");
    const unknown = await as("read", "machine BERN-2");
    expect(unknown.code).toBe(1);
    expect((await as("read", "machine ERN")).stderr).toContain("did you mean BERN-1?");
  });

  it("are counted", async () => {
    expect(JSON.parse((await as("read", "counts --json")).stdout)).toMatchObject({ stale: expect.any(Number) });
  });

  it("are asked to probe by who may", async () => {
    expect((await as("read", "check BERN-1 --no-wait")).code).toBe(3);
    expect((await as("operate", "check BERN-1 --no-wait")).stderr).toContain("is asked to probe");
  });
});

describe("incidents", () => {
  it("are listed, shown with their timeline, and acknowledged with a note", async () => {
    const number = collector.parts.BERN.incident;
    expect((await as("read", "incidents -o csv")).stdout).toContain(number);
    expect((await as("read", `ack ${number}`)).code).toBe(3);
    const acknowledged = await as("operate", ["ack", `#${number}`, "--note", "the proxy team is on it"]);
    expect(acknowledged.stderr).toContain(`${number} BERN-proxy:8080 asks for its own login: acknowledged`);
    const shown = await as("read", `incident ${number}`);
    expect(shown.stdout).toContain("the proxy team is on it");
    expect(shown.stdout).toContain("acknowledged");
    expect((await as("read", `incident ${number} --members -o csv`)).stdout).toContain("BERN-1");
    expect((await as("operate", `ack ${number} --release`)).stderr).toContain(": open");
  });

  it("have numbers", async () => {
    expect((await as("read", "incident eleven")).code).toBe(2);
    expect((await as("read", "incident 7")).code).toBe(1);
  });

  it("are followed as they happen, from where one was", async () => {
    const number = collector.parts.GRAZ.incident;
    const ended = new AbortController();
    const watching = as("read", "watch --json --after 0", {
      interrupted: ended.signal,
      onOutput: (text) => text.includes("seen by the watcher") && ended.abort(),
    });
    expect((await as("operate", ["ack", number, "--note", "seen by the watcher"])).code).toBe(0);
    const lines = (await watching).stdout.trimEnd().split("\n");
    expect(JSON.parse(lines.at(-1) as string)).toMatchObject({
      incident: { number: Number(number) },
      event: { text: expect.stringContaining("seen by the watcher") },
    });
  });
});

describe("silences", () => {
  it("say what they would match, are made, listed and ended", async () => {
    const dry = await as("operate", "silence add site:Graz --for 2h --dry-run");
    expect(dry.stdout).toMatch(/^It would match 1 machines/);
    const made = await as("operate", ["silence", "add", "site:Graz", "--for", "2h", "--comment", "proxy upgrade"]);
    const id = made.stdout.trim();
    expect((await as("read", "silence list -o csv")).stdout).toContain(`${id},`);
    expect((await as("operate", `silence end ${id}`)).code).toBe(0);
    expect((await as("read", "silence list -o csv")).stdout).not.toContain(id);
  });

  it("need an end and a match", async () => {
    expect((await as("operate", "silence add site:Graz")).stderr).toContain("--for 2h");
    expect((await as("operate", "silence add --for 2h")).code).toBe(2);
    expect((await as("operate", "silence add site:Graz --for soon")).stderr).toContain('--for "soon"');
  });
});

describe("enrolment tokens", () => {
  it("are made by an admin, with nothing but the token on standard output", async () => {
    expect((await as("operate", "tokens create")).code).toBe(3);
    const made = await as("admin", "tokens create --label Intune --machines 50 --expires 2w --site Bern --tag vip,lab");
    expect(made.stdout).toMatch(/^\S{40,}\n$/);
    const list = await as("admin", "tokens list -o json");
    const [token] = JSON.parse(list.stdout);
    expect(token).toMatchObject({ label: "Intune", maxUses: 50, site: "Bern", tags: ["vip", "lab"] });
    expect(list.stdout).not.toContain(made.stdout.trim());
    expect((await as("admin", `tokens revoke ${token.id}`)).code).toBe(0);
    expect((await as("admin", "tokens list")).stdout).toContain("revoked");
  });
});

describe("the policy", () => {
  const file = path.join(home, "policy.yaml");

  it("is a file that changes nothing as it comes", async () => {
    const { stdout, stderr } = await as("read", "policy get");
    expect(stderr).toBe("");
    writeFileSync(file, stdout);
    expect(await as("read", ["policy", "diff", file])).toMatchObject({ code: 0, stdout: "" });
    expect((await as("admin", ["policy", "apply", file])).stderr).toContain("nothing to save");
  });

  it("is compared, tried and saved, and a file of an older version is refused", async () => {
    const before = readFileSync(file, "utf8");
    writeFileSync(file, before.replace("cycleMinutes: 15", "cycleMinutes: 30"));
    const difference = await as("read", ["policy", "diff", file]);
    expect(difference.code).toBe(1);
    expect(difference.stdout).toContain("-  cycleMinutes: 15\n+  cycleMinutes: 30\n");
    expect((await as("admin", ["policy", "apply", file, "--dry-run"])).stderr).toContain("nothing is saved");
    expect((await as("read", ["policy", "apply", file])).code).toBe(3);
    expect((await as("admin", ["policy", "apply", file, "--note", "halved"])).stderr).toContain(
      "version 2 is in force",
    );
    expect((await as("read", "policy versions -o csv")).stdout).toContain("halved");
    writeFileSync(file, before);
    expect((await as("admin", ["policy", "apply", file])).code).toBe(5);
    expect((await as("read", "policy get --policy-version 1")).stdout).toBe(before);
  });

  it("says where a file is wrong", async () => {
    writeFileSync(file, "targets:\n  - id: [\n");
    const syntax = await as("admin", ["policy", "apply", file]);
    expect(syntax.code).toBe(2);
    expect(syntax.stderr).toMatch(/line \d/);
    const { stdout } = await as("read", "policy get");
    writeFileSync(file, stdout.replace("- ews\n", "- nothing\n"));
    expect((await as("admin", ["policy", "apply", file])).stderr).toContain('"nothing" is no target');
    expect((await as("admin", ["policy", "apply", path.join(home, "absent.yaml")])).stderr).toContain("ENOENT");
  });
});

describe("export and import", () => {
  it("bring all that is configured through one file, and save only what differs", async () => {
    const file = path.join(home, "lynceus.yaml");
    const { stdout } = await as("admin", "export");
    writeFileSync(file, stdout);
    expect((await as("admin", ["import", file])).stderr).toContain("nothing to save");
    writeFileSync(file, stdout.replace("cidr: 10.2.0.0/16", "cidr: 10.3.0.0/16"));
    const dry = await as("admin", ["import", file, "--dry-run"]);
    expect(dry.stdout).toContain("10.3.0.0/16");
    expect(dry.stderr).toContain("would change: sites; nothing is saved");
    expect((await as("admin", ["import", file])).stderr).toContain("saved: sites");
    expect((await as("admin", "export")).stdout).toContain("10.3.0.0/16");
    writeFileSync(file, "lynceus: 1\ncolours: red\n");
    expect((await as("admin", ["import", file])).code).toBe(2);
  });
});

describe("canaries", () => {
  it("are asked for with a proposal, listed and cancelled", async () => {
    expect((await as("operate", "canary run site:Bern")).stderr).toContain("a proposal is missing");
    const asked = await as("operate", "canary run --proxy px2.example.org:8080 --title move site:Bern --no-wait");
    expect(asked.stderr).toBe("");
    const id = asked.stdout.trim();
    const over = await as("operate", `canary show ${id} --wait --json`);
    expect(JSON.parse(over.stdout)).toMatchObject({ id, title: "move", machines: 1, state: "done" });
    expect((await as("read", "canary list -o csv")).stdout).toContain(`${id},done`);
    expect((await as("read", `canary machines ${id} -o csv`)).stdout).toContain("BERN-1");
  });
});

describe("a command line", () => {
  it("that is none says what is near it, in one line", async () => {
    const run = await as("read", "machnes");
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/^lynceus: .*machines\?.*\n$/);
    expect((await as("read", "machines --colour")).code).toBe(2);
    expect((await as("read", "machine")).stderr).toContain("missing required argument 'name'");
  });

  it("without a command is answered with the help", async () => {
    const run = await lynceus([]);
    expect(run.code).toBe(2);
    expect(run.stdout).toContain("Exit codes:");
  });
});

describe("the doctor", () => {
  it("looks at port, certificate, token, clock, versions and the database", async () => {
    const run = await as("read", ["doctor", "--data-dir", collector.directory, "--json"], {
      env: { DATABASE_URL: collector.databaseUrl },
    });
    const { checks } = JSON.parse(run.stdout) as { checks: { name: string; state: string }[] };
    const states = Object.fromEntries(checks.map(({ name, state }) => [name, state]));
    expect(states).toMatchObject({
      port: "ok",
      certificate: "ok",
      token: "ok",
      clock: "ok",
      version: "ok",
      agents: "ok",
      database: "ok",
      schema: "ok",
      partitions: "ok",
      secrets: "ok",
    });
  });

  it("says what to do where a clock is wrong", async () => {
    const run = await as("read", "doctor", { now: Date.now() + 3_600_000 });
    expect(run.stdout).toMatch(/warning {2}clock .*\n +→ set both by NTP/);
  });

  it("ends with 1 where nobody answers", async () => {
    const run = await lynceus(["doctor"], {
      env: { LYNCEUS_URL: "https://localhost:9", LYNCEUS_TOKEN: collector.tokens.read },
    });
    expect(run.code).toBe(1);
    expect(run.stdout).toMatch(/BAD {6}port .*does not answer/);
  });
});
