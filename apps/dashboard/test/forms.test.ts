import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPolicy } from "@lynceus/protocol/presets";
import { describe, expect, test } from "vitest";
import { accountSchema, fieldErrors } from "../src/lib/account-input.ts";
import { attempts } from "../src/lib/attempts.ts";
import { backOff } from "../src/lib/back-off.ts";
import { tokenFormSchema } from "../src/lib/enrolment-input.ts";
import { enrolCommands, enrolmentText, fenceOf } from "../src/lib/enrolment-text.ts";
import { readEnvironment } from "../src/lib/env.ts";
import { nextPath } from "../src/lib/next-path.ts";
import { readRetentionForm } from "../src/lib/retention-input.ts";
import { isSameOrigin } from "../src/lib/same-origin.ts";
import { emptySetup, keptOf, readSetup, setupOf } from "../src/lib/setup-input.ts";

describe("the path to return to after signing in", () => {
  test.each(["/", "/machines?q=status:failing", "/machines/7#timeline"])("keeps %s", (path) =>
    expect(nextPath(path)).toBe(path),
  );
  test.each([
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/machines\\@evil.example",
    "/api/sign-out",
    "/./api/sign-out",
    "",
    undefined,
    ["/machines"],
    `/${"a".repeat(3000)}`,
  ])("replaces %j by the overview", (value) => expect(nextPath(value)).toBe("/"));
});

describe("same origin", () => {
  const headers = (values: Record<string, string>) => new Headers({ host: "lynceus.example.org", ...values });
  test("a browser's own post is let through", () => {
    expect(isSameOrigin(headers({ origin: "https://lynceus.example.org", "sec-fetch-site": "same-origin" }))).toBe(
      true,
    );
    expect(isSameOrigin(headers({ origin: "https://lynceus.example.org" }))).toBe(true);
    expect(isSameOrigin(headers({ "sec-fetch-site": "same-origin" }))).toBe(true);
  });
  test("another site, a sibling, an opaque origin and no word at all are refused", () => {
    expect(isSameOrigin(headers({ origin: "https://evil.example", "sec-fetch-site": "cross-site" }))).toBe(false);
    expect(isSameOrigin(headers({ origin: "https://evil.example" }))).toBe(false);
    expect(isSameOrigin(headers({ origin: "https://a.example.org", "sec-fetch-site": "same-site" }))).toBe(false);
    expect(isSameOrigin(headers({ origin: "null" }))).toBe(false);
    expect(isSameOrigin(headers({ "sec-fetch-site": "none" }))).toBe(false);
    expect(isSameOrigin(headers({}))).toBe(false);
  });
});

describe("a new account", () => {
  const form = {
    name: "M. Huber",
    email: "M.Huber@contoso.com",
    password: "four good words here",
    again: "four good words here",
  };
  test("is taken with its address in lower case", () => {
    expect(accountSchema.parse(form).email).toBe("m.huber@contoso.com");
  });
  test.each([
    ["password", { password: "elevenchars", again: "elevenchars" }],
    ["password", { password: "m.huber m.huber", again: "m.huber m.huber" }],
    ["again", { again: "four other words here" }],
    ["email", { email: "m.huber" }],
    ["name", { name: "  " }],
  ])("is refused at the field %s", (field, change) => {
    const parsed = accountSchema.safeParse({ ...form, ...change });
    expect(parsed.success ? {} : fieldErrors(parsed.error)).toHaveProperty(field);
  });
});

describe("a new token", () => {
  const form = {
    label: "Singapore laptops",
    site: "",
    tags: "laptop, pilot laptop",
    uses: "50",
    hours: "24",
    needsApproval: false,
  };
  test("reads tags once each, and an empty site as none", () => {
    expect(tokenFormSchema.parse(form)).toMatchObject({ site: null, tags: ["laptop", "pilot"], uses: 50, hours: 24 });
  });
  test.each([
    ["label", { label: " " }],
    ["uses", { uses: "0" }],
    ["uses", { uses: "1.5" }],
    ["uses", { uses: "many" }],
    ["uses", { uses: "100001" }],
    ["hours", { hours: "9999" }],
    ["tags", { tags: "<b>" }],
    ["tags", { tags: Array.from({ length: 17 }, (_, n) => `t${n}`).join(" ") }],
  ])("is refused at %s with an example", (field, change) => {
    const parsed = tokenFormSchema.safeParse({ ...form, ...change });
    const issue = parsed.success ? undefined : parsed.error.issues[0];
    expect(issue?.path[0]).toBe(field);
    expect(issue?.message).toMatch(/e\.g\./);
  });
  test("is written as lyn1. and JSON that names address, secret and pin", () => {
    const text = enrolmentText({ url: "wss://c.example.org:7443", secret: "s3cret", pin: null });
    expect(text).toMatch(/^lyn1\.[A-Za-z0-9_-]+$/);
    expect(JSON.parse(Buffer.from(text.slice(5), "base64url").toString())).toEqual({
      u: "wss://c.example.org:7443",
      s: "s3cret",
      p: null,
    });
    const policy = buildPolicy(
      {
        ews: ["mail.contoso.com:8443", "ex.fabrikam.net"],
        smtpDomains: ["contoso.com"],
        sipDomains: ["eu.contoso.com"],
      },
      1,
    );
    const options = `--token ${text} --allowed-suffixes contoso.com,ex.fabrikam.net,www.msftconnecttest.com --allowed-ports 80,443,5060,5061,8443`;
    const commands = enrolCommands(text, fenceOf(policy), "1.2.3");
    const of = (id: string) => commands.find((one) => one.id === id)?.command;
    expect(of("checkout")).toBe(`npm run --silent agent -- run ${options}`);
    expect(of("windows")).toBe(
      `msiexec /i lynceus-agent-1.2.3-x64.msi /qn ENROLL_TOKEN=${text} ALLOWED_SUFFIXES=contoso.com,ex.fabrikam.net,www.msftconnecttest.com ALLOWED_PORTS=80,443,5060,5061,8443`,
    );
    expect(of("macos")).toContain(`enroll ${options} --data-dir`);
    for (const { command } of enrolCommands(text, fenceOf(null), "1.2.3")) {
      expect(command).not.toMatch(/allowed-suffixes|ALLOWED_SUFFIXES/);
      // The usual ports are the installers' own.
      expect(command).not.toContain("ALLOWED_PORTS");
    }
  });

  test("writes agent.env line by line where a package is installed, as a shell does it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lynceus-"));
    const file = join(folder, "agent.env");
    const fence = { suffixes: ["contoso.com", "contoso.net"], ports: [443, 8443] };
    const command = enrolCommands("lyn1.abc-_", fence, "1.2.3").find(({ id }) => id === "linux")?.command ?? "";
    const written = command.split(" && ")[0]?.replace("/etc/lynceus-agent/agent.env", file) ?? "";
    execFileSync("/bin/sh", ["-c", written]);
    expect(await readFile(file, "utf8")).toBe(
      "LYNCEUS_ENROLL_TOKEN=lyn1.abc-_\nLYNCEUS_ALLOWED_SUFFIXES=contoso.com,contoso.net\nLYNCEUS_ALLOWED_PORTS=443,8443\n",
    );
    await rm(folder, { recursive: true });
  });

  test("names files, properties and variables that the guide and the packages have", async () => {
    const root = new URL("../../../", import.meta.url);
    const [guide, env, linux, macos] = await Promise.all(
      [
        "docs/install-agent.md",
        "apps/agent/packaging/linux/agent.env",
        "apps/agent/packaging/linux/INSTALL.txt",
        "apps/agent/packaging/macos/INSTALL.txt",
      ].map((name) => readFile(new URL(name, root), "utf8")),
    );
    const commands = enrolCommands("lyn1.abc", { suffixes: ["contoso.com"], ports: [8443] }, "VERSION");
    const of = (id: string) => commands.find((one) => one.id === id)?.command ?? "";
    expect(guide).toContain(of("windows").split(" ENROLL_TOKEN")[0]);
    expect(guide).toContain(of("debian").split(" && ")[0]);
    for (const [, name] of of("windows").matchAll(/ ([A-Z_]+)=/g)) expect(guide).toContain(`\`${name}\``);
    for (const [, name] of of("debian").matchAll(/ (LYNCEUS_[A-Z_]+)=/g)) expect(env).toContain(`${name}=`);
    expect(linux).toContain("systemctl enable --now lynceus-agent");
    for (const part of [
      "/usr/local/lynceus-agent/bin/node /usr/local/lynceus-agent/main.js enroll",
      "launchctl bootstrap system",
    ])
      for (const text of [of("macos"), macos]) expect(text).toContain(part);
  });
});

describe("the first-run form", () => {
  const filled = {
    ...emptySetup(),
    smtpDomains: "example.org, example.com",
    sipDomains: "example.org",
    ews: "mail.example.org mail.example.org:8443",
    lyncWeb: "lyncweb.example.org",
    control: "http://www.example.org/ok.txt",
    requiresProxy: true,
  };
  test("gives a policy whose form is the same again", () => {
    const { preset, errors } = readSetup(filled);
    expect(errors).toEqual({});
    if (preset === null) throw new Error("refused");
    expect(setupOf(buildPolicy(preset, 1))).toMatchObject({
      smtpDomains: "example.org, example.com",
      sipDomains: "example.org",
      ews: "mail.example.org, mail.example.org:8443",
      lyncWeb: "lyncweb.example.org",
      control: "http://www.example.org/ok.txt",
      requiresProxy: true,
    });
  });
  test("keeps what is expected through a policy, and an older policy declares nothing", () => {
    const expected = {
      ...filled,
      baselineMode: "manual",
      baselineProxy: "px2.example.org:8080",
      baselineBypass: "*.example.org; <local>",
      baselineWhere: "inside",
      insideSuffixes: "corp.example.org",
      organisationDomains: "corp.example.org",
      trustedDomains: "example.net",
      wpadHosts: "wpad.example.net",
      ssoHosts: "login.example.org",
      mailboxInExchangeOnline: true,
      tenantEws: "disabled",
      kerberos: "works",
      extendedProtection: "on",
      responseGroups: true,
      require5060: true,
    };
    const { preset, errors } = readSetup(expected);
    expect(errors).toEqual({});
    if (preset === null) throw new Error("refused");
    expect(setupOf(buildPolicy(preset, 1))).toEqual({ ...expected, ews: "mail.example.org, mail.example.org:8443" });
    const older = buildPolicy({ ews: ["mail.example.org"], smtpDomains: [], sipDomains: [] }, 1);
    expect(setupOf(older)).toMatchObject({ baselineMode: "", trustedDomains: "", tenantEws: "unknown" });
  });
  test("does not lose what it does not ask for", () => {
    const beacon = { url: "https://inside.example.org/", spkiSha256: "ab".repeat(32) };
    const body = buildPolicy(
      { ews: ["mail.example.org"], smtpDomains: [], sipDomains: [], beacon, controlHttps: "www.example.org:8443" },
      1,
    );
    expect(keptOf(body)).toEqual({ beacon, controlHttps: "www.example.org:8443" });
  });
  test.each([
    ["baselinePacUrl", { baselineMode: "pac", baselinePacUrl: "proxy.pac" }],
    ["baselinePacUrl", { baselineMode: "pac", baselinePacUrl: "http://u:p@pac.example.org/p.pac" }],
    ["baselineProxy", { baselineMode: "manual", baselineProxy: "px2.example.org" }],
    ["trustedDomains", { trustedDomains: "a@example.org" }],
    ["wpadHosts", { wpadHosts: "http://wpad" }],
    ["ews", { ews: "https://mail.example.org/ews" }],
    ["ews", { ews: "127.0.0.1" }],
    ["ews", { ews: "" }],
    ["smtpDomains", { smtpDomains: "example" }],
    ["smtpDomains", { smtpDomains: "a@example.org" }],
    ["smtpDomains", { smtpDomains: Array.from({ length: 17 }, (_, n) => `d${n}.example.org`).join() }],
    ["sipDomains", { sipDomains: "169.254.169.254" }],
    ["control", { control: "ftp://www.example.org/" }],
    ["control", { control: "http://u:p@www.example.org/" }],
    ["control", { control: "http://127.0.0.1/" }],
  ])("refuses at %s: %j", (field, change) => {
    const { preset, errors } = readSetup({ ...filled, ...change });
    expect(preset).toBeNull();
    expect(errors).toHaveProperty(field);
  });
});

describe("back-off", () => {
  const options = { free: 2, firstMs: 1_000, longestMs: 60_000, forgetMs: 3_600_000 };

  test("doubles with each further failure, never beyond the longest, and ends with a success", () => {
    let now = 0;
    const slow = backOff({ now: () => now, ...options });
    const waits = Array.from({ length: 10 }, () => {
      slow.failed("ada");
      return slow.wait("ada");
    });
    expect(waits).toEqual([0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(slow.wait("bob")).toBe(0);
    now = 59_999;
    expect(slow.wait("ada")).toBe(1);
    now = 60_000;
    expect(slow.wait("ada")).toBe(0);
    slow.succeeded("ada");
    slow.failed("ada");
    expect(slow.wait("ada")).toBe(0);
  });

  test("forgets who was quiet for long, and the quietest when there are too many", () => {
    let now = 0;
    const slow = backOff({ now: () => now, ...options, free: 0, keys: 2 });
    for (const key of ["a", "b", "c"]) slow.failed(key);
    expect([slow.wait("a"), slow.wait("b"), slow.wait("c")]).toEqual([0, 1_000, 1_000]);
    now = 3_600_000;
    slow.failed("c");
    expect(slow.wait("c")).toBe(1_000);
  });
});

describe("attempts", () => {
  test("after so many failures a key waits until the window has passed; others do not", () => {
    let now = 0;
    const counter = attempts({ now: () => now, most: 3, windowMs: 60_000 });
    for (const at of [0, 1_000, 2_000]) {
      now = at;
      expect(counter.wait("a")).toBe(0);
      counter.failed("a");
    }
    expect(counter.wait("a")).toBe(58_000);
    expect(counter.wait("b")).toBe(0);
    now = 60_001;
    expect(counter.wait("a")).toBe(0);
  });
  test("success forgets, and the number of keys is bounded", () => {
    const counter = attempts({ now: () => 0, most: 1, windowMs: 1_000, keys: 2 });
    counter.failed("a");
    counter.succeeded("a");
    expect(counter.wait("a")).toBe(0);
    for (const key of ["b", "c", "d"]) counter.failed(key);
    expect(["b", "c", "d"].map((key) => counter.wait(key) > 0)).toEqual([false, true, true]);
  });
});

describe("environment", () => {
  const env = { DATABASE_URL: "postgresql://a@b/c", BETTER_AUTH_SECRET: "x".repeat(32) };
  test("cookies are secure but for plain http on loopback", () => {
    const secure = (url: string) => readEnvironment({ ...env, LYNCEUS_PUBLIC_URL: url }).secureCookies;
    expect(secure("http://127.0.0.1:3000")).toBe(false);
    expect(secure("http://localhost:3000")).toBe(false);
    expect(secure("http://lynceus.example.org")).toBe(true);
    expect(secure("https://lynceus.example.org")).toBe(true);
  });
  test.each([
    ["DATABASE_URL", { DATABASE_URL: undefined }],
    ["BETTER_AUTH_SECRET", { BETTER_AUTH_SECRET: "short" }],
    ["LYNCEUS_PUBLIC_URL", { LYNCEUS_PUBLIC_URL: "not an address" }],
    ["LYNCEUS_PUBLIC_URL", { LYNCEUS_PUBLIC_URL: "ftp://lynceus.example.org" }],
  ])("names %s when it is wrong", (name, change) => {
    expect(() => readEnvironment({ ...env, ...change })).toThrow(name);
  });
});

describe("retention", () => {
  test("takes whole days, and names the value, the rule and an example for others", () => {
    expect(readRetentionForm({ observationDays: " 14", historyDays: "396" })).toEqual({
      retention: { observationDays: 14, historyDays: 396 },
      errors: {},
    });
    expect(readRetentionForm({ observationDays: "1.5", historyDays: "10" })).toEqual({
      retention: null,
      errors: {
        observationDays: '"1.5" is no such time; use a whole number of days from 1 to 3,650, e.g. 30.',
        historyDays: '"10" is no such time; use a whole number of days from 36 to 3,650, e.g. 396.',
      },
    });
  });
});
