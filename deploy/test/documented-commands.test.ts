import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createApiToken } from "@lynceus/db/api-tokens";
import { openDatabase } from "@lynceus/db/client";
import { startEmbeddedPostgres } from "@lynceus/db/embedded";
import { savePolicy } from "@lynceus/db/policies";
import { type Fleet, wholeFleet } from "@lynceus/db/scope";
import { createTestDatabase } from "@lynceus/db/testing";
import { type Parts, seedParts } from "@lynceus/db/testing-parts";
import { everyMachine } from "@lynceus/protocol/access";
import { buildPolicy } from "@lynceus/protocol/presets";
import { closedPorts } from "@lynceus/testkit/listening";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentedCommands } from "./support/documented-commands.ts";
import { root } from "./support/program.ts";

/*
 * Each command that the documentation shows is in one of three lists: run here, as one story of a new installation; run
 * elsewhere in CI, by what is named; or not run, for the reason that is given. One that is in none fails, and so does one that
 * is in a list and in no page.
 */

/** How a command is run: what it must print, and how it must end. */
interface Run {
  readonly says?: RegExp;
  /** Exit codes that are right; 0 where none is given. */
  readonly exit?: readonly number[];
  readonly stdin?: () => string;
  /** It goes on until it is ended, once it has said `says`: then, or with the story. */
  readonly lasts?: "until-said" | "to-the-end";
}

const up = "npm run up -- --public-name collector.example.org --data-dir /var/lib/lynceus";
/** After it there is more than this machine. */
const furnished = "npm run --silent lynceus -- --help";
const login = "lynceus login https://collector.example.org:7443";
const api = "api=https://collector.contoso.com:7443/api/v1";
const alertingFile = (rest: string) =>
  `curl -H "authorization: Bearer $TOKEN" -H 'content-type: application/yaml' --data-binary @alerting.yaml ${rest}`;

/** In the order in which they are run. */
const here: readonly (readonly [command: string, run: Run])[] = [
  ["npm run up -- --help", { says: /--public-name NAME/ }],
  [
    "npm run --silent agent -- diagnose --ews mail.example.org --smtp-domain example.org --sip-domain example.org",
    { exit: [1], says: /mail\.example\.org/ },
  ],
  [up, { says: /First admin +http/, lasts: "to-the-end" }],
  ['ln -s "$PWD/apps/cli/dist/lynceus.mjs" ~/.local/bin/lynceus', {}],
  ["npm run --silent lynceus -- rediagnose --from 7d --dry-run", { says: /machine/ }],
  [furnished, { says: /Exit codes:/ }],
  // Its certificate is of its own making: the command line shows the pin, and takes it.
  [login, { exit: [3], says: /--pin [0-9a-f]{64}/ }],
  ["lynceus machines --help", { says: /Examples:/ }],
  ["lynceus counts", { says: /failing/ }],
  ["lynceus machines --sort=-seen", { says: /BERN-1/ }],
  ["lynceus machines agent:0.1.*", {}],
  ["lynceus machine NAME", { says: /BERN-1/ }],
  ["lynceus incident N", { says: /asks for its own login/ }],
  ['lynceus tokens create --label "Intune pilot" --machines 50 --expires 1w', { says: /lyn1\./ }],
  ["lynceus tokens list", { says: /Intune pilot/ }],
  ["lynceus policy versions", { says: /\b1\b/ }],
  ["lynceus policy get --policy-version N", { says: /targets:/ }],
  // 1 where it finds this machine's disk full.
  ["lynceus doctor", { exit: [0, 1], says: /schema +as this version needs it/ }],
  ["source <(lynceus completion bash)", {}],
  ["lynceus completion fish > ~/.config/fish/completions/lynceus.fish", {}],
  [
    'curl -N -H "Authorization: Bearer $LYNCEUS_TOKEN" https://collector.example.org:7443/api/v1/events',
    { says: /^(:|event|id|retry)/m, lasts: "until-said" },
  ],
  ['curl -H "authorization: Bearer $TOKEN" "$api/alerting/config?format=yaml" > alerting.yaml', {}],
  [alertingFile('"$api/alerting/validate"'), { says: /"problems":\[\]/ }],
  [alertingFile('-X PUT "$api/alerting/config?baseVersion=0&note=first"'), { says: /"version":1/ }],
  ["npm run --silent lynceus -- backup --data-dir ~/lynceus /backup/lynceus.zip", { says: /lynceus\.zip/ }],
  [
    '0 3 * * *  cd /opt/lynceus && npm run --silent lynceus -- backup --data-dir /var/lib/lynceus "/backup/lynceus-$(date +\\%F).zip"',
    { says: /lynceus-\d{4}-\d\d-\d\d\.zip/ },
  ],
  ["npm run --silent lynceus -- restore /backup/lynceus.zip --check", {}],
  ["lynceus restore FILE --check", {}],
  ["npm run --silent lynceus -- restore /backup/lynceus.zip --data-dir ~/lynceus-new", {}],
  [
    "DATABASE_URL=postgresql://lynceus:secret@db.example.org/lynceus_new npm run --silent lynceus -- restore /backup/lynceus.zip --data-dir /var/lib/lynceus-new",
    {},
  ],
  ["cp docker/example.env .env", {}],
  ["openssl rand -base64 32", { says: /^\S{44}$/m }],
  ["promtool test rules deploy/prometheus/lynceus.rules.test.yml", { says: /SUCCESS/ }],
  ["npm run docs", { says: /index\.html/ }],
];

/** By whom: a step of `npm run verify`, or a test. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  "verify: tests": ["npm test"],
  "verify: format": ["npm run verify"],
  "verify: accuracy": ["npm run accuracy", "npm run accuracy -- --check"],
  "verify: grafana": ["npm run package:grafana", "npm ci", "npm run build", "npm run typecheck"],
  "apps/dashboard/e2e/product.test.ts": [
    "npm run up",
    "npm run up -- --demo 200",
    "npm run up -- --ews mail.example.org --smtp-domain example.org --sip-domain example.org",
    "npm run up -- --data-dir ~/lynceus-new",
  ],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
  "apps/cli/test/completion.test.ts": ['lynceus completion zsh > "${fpath[1]}/_lynceus"'],
  "lab/test/debian-package.test.ts": [
    "npm run package:agent",
    "npm run package:agent -- --only linux",
    "apt install ./lynceus-agent_VERSION_amd64.deb",
    "systemctl restart lynceus-agent",
    "apt purge",
    "systemd-analyze security",
  ],
  "lab/test-windows/installer.test.ts": [
    "msiexec /i lynceus-agent-VERSION-x64.msi /qn ENROLL_TOKEN=lyn1.… ALLOWED_SUFFIXES=contoso.com,contoso.net",
    "install    msiexec /i lynceus-agent-VERSION-x64.msi /qn ENROLL_TOKEN=lyn1.… ALLOWED_SUFFIXES=contoso.com",
    "uninstall  msiexec /x lynceus-agent-VERSION-x64.msi /qn",
    "msiexec /i",
    "msiexec /fa",
    "msiexec /x",
  ],
  "apps/agent/test/diagnose.test.ts": ["lynceus-agent diagnose", "lynceus-agent diagnose --proxy-settings FILE"],
  "apps/collector/test/rediagnose.test.ts": ["node main.js rediagnose"],
};

const not: Readonly<Record<string, readonly string[]>> = {
  "needs images of other hosts; scripts/check-compose.mjs holds the file against what the images promise": [
    "docker compose up -d",
    "docker compose logs collector",
  ],
  "needs a cluster; deploy/test/kubernetes.test.ts holds the manifests against Kubernetes' types": [
    "kubectl apply -f deploy/kubernetes/lynceus.yaml",
  ],
  "needs the superuser of a server that is not ours": [
    "CREATE ROLE lynceus LOGIN PASSWORD '…';",
    "CREATE DATABASE lynceus OWNER lynceus;",
  ],
  "a unit of the system: what it starts is run above": [
    "ExecStart=/usr/bin/npm run up -- --public-name collector.example.org --data-dir /var/lib/lynceus --no-agent",
  ],
  "goes on until it is ended, with a Grafana that cannot be had here": ["npm run dev"],
  "takes pictures, which a person looks at": [
    "npm run screenshots",
    "npm run screenshots -- --docs",
    "npm run screenshots -- machine",
    "npx vitest run --root e2e --config vitest.screenshots.config.mts",
  ],
  "fills a database for minutes, as the benchmarks do without it": ["npm run seed -- --data-dir DIR"],
  "opens an editor": ["editor /etc/lynceus-agent/agent.env"],
  "needs a real Windows": [
    "sc query LynceusAgent >nul 2>&1 || msiexec /i \\\\contoso.com\\netlogon\\lynceus-agent.msi /qn ENROLL_TOKEN=lyn1.… ALLOWED_SUFFIXES=contoso.com",
    "sc qfailure LynceusAgent",
    "sc qc LynceusAgent",
    "icacls %ProgramData%\\Lynceus",
    "dsregcmd /status",
    "gpupdate /force",
  ],
  "keeps what a release is made of": ["npm run -w deploy keep:agent"],
};

/** Kinds of commands that need no list, and what each names, which must be there. */
const kinds: readonly (readonly [kind: RegExp, isThere: (name: string) => boolean])[] = [
  // A step of CI, which runs all of them.
  [/^(?:LYNCEUS_LAB_RECORD=1 )?npm run verify -- --only (\w+)$/, (name) => isStep(name)],
  // Minutes, and its figures are looked at by a person.
  [/^npm run bench -- (\w+)/, (name) => name === "NAME" || existsSync(path.join(root, `bench/src/${name}.bench.ts`))],
  // A part of CI's tests, for who works on it; or pictures, which a person looks at.
  [/^npx vitest run .*?([\w./-]+\.m?ts)$/, (name) => isFile(name)],
];
const isStep = (name: string) => readFileSync(path.join(root, "scripts/verify.mjs"), "utf8").includes(`\n  ${name}: [`);
/** From the root, or from a folder that `--root` names. */
const isFile = (name: string) =>
  [".", "lab", "apps/grafana-datasource/e2e"].some((folder) => existsSync(path.join(root, folder, name)));
const isOfAKind = (command: string) =>
  kinds.some(([kind, isThere]) => {
    const name = kind.exec(command)?.[1];
    return name !== undefined && isThere(name);
  });

const outside = [...Object.values(elsewhere), ...Object.values(not)].flat();
/** Sets a variable for the commands below it: run with them. */
const preludes = [api];

describe("the documentation's commands", () => {
  const documented = documentedCommands();
  const listed = [...here.map(([command]) => command), ...outside, ...preludes];

  it("are all run, here or elsewhere, or it is said why not", () => {
    const unknown = [...documented].filter(([command]) => !listed.includes(command) && !isOfAKind(command));
    expect(unknown, "add each to a list of deploy/test/documented-commands.test.ts").toEqual([]);
  });
  it("are listed once, and only as long as a page shows them", () => {
    expect(listed.filter((command) => !documented.has(command))).toEqual([]);
    expect(listed.filter((command, index) => listed.indexOf(command) !== index)).toEqual([]);
  });
  it("that are run elsewhere are run by what there is", () => {
    for (const where of Object.keys(elsewhere)) {
      const step = /^verify: (\w+)$/.exec(where)?.[1];
      if (step) expect(isStep(step), where).toBe(true);
      else expect(existsSync(path.join(root, where)), where).toBe(true);
    }
  });
});

describe("a new installation, by the documentation's commands", () => {
  // As root PostgreSQL runs as another user, who must pass.
  const home = mkdtempSync(path.join(tmpdir(), "lynceus-docs-"));
  const checkout = path.join(home, "checkout");
  const running: ChildProcess[] = [];
  const stops: (() => Promise<unknown>)[] = [];
  const data = path.join(home, "var/lynceus");
  const environment: Record<string, string> = {
    LYNCEUS_DATA_DIR: data,
    CURL_CA_BUNDLE: path.join(data, "collector/ca.pem"),
  };
  let port: number;
  let collectorPort: number;
  let parts: Parts;
  let token = "";
  let otherDatabase = "";

  beforeAll(async () => {
    await chmod(home, 0o755);
    // A checkout of its own: what a command writes beside the sources does not come to ours.
    for (const folder of ["checkout", ".local/bin", ".config/fish/completions", "backup", "var"])
      mkdirSync(path.join(home, folder), { recursive: true, mode: 0o755 });
    for (const entry of readdirSync(root))
      if (entry !== ".git" && entry !== ".env") symlinkSync(path.join(root, entry), path.join(checkout, entry));
    [port, collectorPort] = (await closedPorts(2)) as [number, number];
    const other = await createTestDatabase({ empty: true });
    stops.push(other.drop);
    otherDatabase = other.url;
  });
  afterAll(async () => {
    for (const child of running.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
      const gone = new Promise((resolve) => child.once("close", resolve));
      process.kill(-(child.pid ?? 0), "SIGINT");
      await gone;
    }
    for (const stop of stops.reverse()) await stop();
    rmSync(home, { recursive: true, force: true });
  });

  /** A command with the places and names of this test. */
  const placed = (command: string): string =>
    command
      .replace(/^\d+ \d+ \* \* \* +/, "")
      .replaceAll("\\%", "%")
      .replaceAll(/collector\.(example\.org|contoso\.com):7443/g, `localhost:${collectorPort}`)
      .replace("--public-name collector.example.org", "--public-name localhost")
      .replace("postgresql://lynceus:secret@db.example.org/lynceus_new", otherDatabase)
      .replace("--data-dir ~/lynceus ", "--data-dir /var/lib/lynceus ")
      .replaceAll("/var/lib/", `${home}/var/`)
      .replaceAll("/backup/", `${home}/backup/`)
      .replace("/opt/lynceus", checkout)
      .replace(/^npm run up -- --p.*/, `$& --port ${port} --collector-port ${collectorPort}`)
      .replace(" FILE ", ` ${home}/backup/lynceus.zip `)
      .replace(/ NAME$/, " BERN-1")
      .replace(/incident N$/, `incident ${parts?.BERN.incident}`)
      .replace(/--policy-version N$/, "--policy-version 1");

  /** Runs a command in bash. Resolves when it has ended, or has said what it is to say before it is ended. */
  function bash(command: string, { says, lasts, stdin }: Run): Promise<{ code: number | null; said: string }> {
    const {
      DATABASE_URL: _own,
      LYNCEUS_TEST_DATABASE_URL: _tests,
      NODE_ENV: _env,
      VITEST: _vitest,
      ...rest
    } = process.env;
    const child = spawn("bash", ["-euo", "pipefail", "-c", command], {
      cwd: checkout,
      detached: true,
      env: {
        ...rest,
        HOME: home,
        PATH: `${home}/.local/bin:${process.env.PATH}`,
        npm_config_update_notifier: "false",
        ...environment,
        // A login stands in a file: only who asks for the variable has it.
        ...(command.includes("$LYNCEUS_TOKEN") && { LYNCEUS_TOKEN: token }),
      },
    });
    if (lasts === "to-the-end") running.push(child);
    // A command that reads nothing may be gone already.
    child.stdin.on("error", () => {}).end(stdin?.() ?? "");
    return new Promise((resolve, reject) => {
      let said = "";
      let enough = false;
      const hear = (chunk: Buffer) => {
        said += chunk.toString();
        if (!lasts || enough || !says?.test(said)) return;
        enough = true;
        if (lasts === "to-the-end") resolve({ code: 0, said });
        else process.kill(-(child.pid ?? 0), "SIGKILL");
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.on("error", reject);
      child.on("close", (code) => resolve({ code: enough ? 0 : code, said }));
    });
  }

  it.each(here)("%s", async (command, run) => {
    const text = command.includes("$api/") ? `${api}\n${command}` : command;
    const { code, said } = await bash(placed(text), run);
    expect(run.exit ?? [0], said).toContain(code);
    expect(said).toMatch(run.says ?? /(?:)/);
    if (command === up) await withDatabase(async (db) => void (await setUp(db)));
    if (command === furnished) await withDatabase(furnish);
    if (command === login) {
      const pin = /--pin ([0-9a-f]{64})/.exec(said)?.[1];
      const again = await bash(placed(`${command} --pin ${pin}`), { stdin: () => `${token}\n` });
      expect(again).toMatchObject({ code: 0, said: expect.stringContaining("kept in") });
    }
  });

  async function withDatabase(act: (db: Fleet) => Promise<void>): Promise<void> {
    const server = await startEmbeddedPostgres({ dataDirectory: path.join(data, "postgres") });
    const db = wholeFleet(openDatabase({ url: server.url }));
    await act(db);
    await db.close();
    await server.stop();
  }

  /** What an admin does in the dashboard at first. */
  const setUp = (db: Fleet) =>
    savePolicy(db, {
      body: buildPolicy({ ews: ["mail.example.org"], smtpDomains: ["example.org"], sipDomains: [] }, 1),
      now: new Date(),
      createdBy: "test",
    });

  /** Machines and incidents of two sites, and an API token. */
  async function furnish(db: Fleet): Promise<void> {
    parts = await seedParts(db, new Date());
    const made = await createApiToken(db, {
      label: "documentation",
      scopes: ["admin"],
      scope: everyMachine,
      createdBy: "test",
    });
    token = made.secret;
    environment.TOKEN = token;
  }
});
