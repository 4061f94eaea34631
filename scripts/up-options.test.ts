import { describe, expect, test } from "vitest";
import { parseUpOptions } from "./up-options.mjs";

const parse = (...argv: string[]) => parseUpOptions(argv, { cwd: "/home/ann", root: "/srv/lynceus", env: {} });

describe("options of npm run up", () => {
  test("without any, the dashboard asks for the targets and everything is kept in the checkout", () => {
    expect(parse()).toMatchObject({
      targets: null,
      port: 3000,
      collectorPort: 7443,
      dataDir: "/srv/lynceus/.lynceus",
      demo: 0,
      agent: true,
    });
  });

  test("targets may be repeated or listed with commas, and are lower-cased", () => {
    expect(
      parse("--ews", "Mail.Example.org", "--ews", "mail2.example.org:8443", "--smtp-domain", "example.org,example.net")
        .targets,
    ).toMatchObject({
      ews: ["mail.example.org", "mail2.example.org:8443"],
      smtpDomains: ["example.org", "example.net"],
    });
  });

  test("a relative data directory is the caller's, not the checkout's", () => {
    expect(parse("--data-dir", "my data").dataDir).toBe("/home/ann/my data");
  });

  test.each([
    [["--ewss", "x"], /unknown option --ewss; did you mean --ews\?/],
    [["--port", "http"], /--port "http" is not a whole number from 1 to 65535; use e\.g\. --port 3000/],
    [["--port", "70000"], /65535/],
    [["--port", "7443"], /both 7443/],
    [
      ["--sip-domain", "https://example.org", "--ews", "m.example.org"],
      /is not a host name; use e\.g\. --sip-domain example\.org/,
    ],
    [["--smtp-domain", "example.org"], /--ews is missing/],
    [["--control", "http://www.example.org/"], /need --ews/],
    [["--ews", "m.example.org", "--control", "ftp://x"], /not a plain http address/],
    [["--control-https", "www.example.org"], /need --ews/],
    [
      ["--ews", "m.example.org", "--control-https", "https://x"],
      /is not a host name.*--control-https www\.example\.org/,
    ],
    [["--demo", "0"], /--demo "0"/],
    [["stray"], /stray/],
  ])("%j is refused in one line", (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
    try {
      parse(...argv);
    } catch (error) {
      expect((error as Error).message).not.toContain("\n");
    }
  });

  test("a DATABASE_URL of another kind is refused without being repeated, since it may hold a password", () => {
    const url = "mysql://root:secret@db/lynceus";
    expect(() => parseUpOptions([], { cwd: "/", root: "/", env: { DATABASE_URL: url } })).toThrow(/postgresql:\/\//);
    try {
      parseUpOptions([], { cwd: "/", root: "/", env: { DATABASE_URL: url } });
    } catch (error) {
      expect((error as Error).message).not.toContain("secret");
    }
  });
});
