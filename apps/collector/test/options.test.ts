import { describe, expect, it } from "vitest";
import { optionSpec, parseOptions, usage } from "../src/options.ts";

const env = { DATABASE_URL: "postgresql://lynceus@localhost/lynceus" };

describe("options", () => {
  it("are all in the help, and the help names no others", () => {
    const named = [...usage.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name);
    expect([...named, "help"].sort()).toEqual(Object.keys(optionSpec).sort());
  });
  it("have the defaults that the help gives", () => {
    for (const [, name = "", told] of usage.matchAll(/^ {2}--([a-z-]+) .*?\((?:\.\/)?([\w./]+)\)/gm)) {
      const spec = optionSpec[name as keyof typeof optionSpec];
      expect(spec, name).toMatchObject({ default: told });
    }
  });
  it("have defaults that listen on loopback with TLS", () => {
    expect(parseOptions([], env)).toMatchObject({ host: "127.0.0.1", port: 7443, plain: false });
  });
  it("allow plain text on loopback alone", () => {
    expect(parseOptions(["--plain", "--host", "::1"], env)?.plain).toBe(true);
    expect(() => parseOptions(["--plain", "--host", "0.0.0.0"], env)).toThrow(/loopback alone/);
    expect(() => parseOptions(["--plain", "--host", "10.0.0.1"], env)).toThrow(/loopback alone/);
  });
  it.each([
    [["--port", "70000"], '--port "70000"'],
    [["--port", "x"], '--port "x"'],
    [["--public-url", "https://x"], "--public-url"],
    [["--log-level", "loud"], '--log-level "loud"'],
    [["--nonsense"], "--nonsense"],
  ])("refuse %j with the value and the rule", (args, message) => {
    expect(() => parseOptions(args, env)).toThrow(message);
  });
  it("want a database", () => {
    expect(() => parseOptions([], {})).toThrow(/DATABASE_URL/);
  });
  it("put the public name and the address into the certificate", () => {
    const options = parseOptions(
      ["--host", "10.0.0.1", "--public-url", "wss://c.example.org:7443", "--tls-name", "d"],
      env,
    );
    expect(options?.names).toEqual(["d", "c.example.org", "10.0.0.1"]);
  });
  it("take the public name and the dashboard's address from the environment", () => {
    const named = { ...env, LYNCEUS_PUBLIC_NAME: "c.example.org", LYNCEUS_PUBLIC_URL: "https://l.example.org/" };
    expect(parseOptions(["--port", "8443", "--migrate"], named)).toMatchObject({
      publicUrl: "wss://c.example.org:8443",
      dashboardUrl: "https://l.example.org",
      migrate: true,
      names: ["c.example.org", "127.0.0.1"],
    });
    expect(parseOptions([], env)).toMatchObject({ publicUrl: null, dashboardUrl: null, migrate: false });
    expect(() => parseOptions([], { ...env, LYNCEUS_PUBLIC_NAME: "https://c" })).toThrow(/LYNCEUS_PUBLIC_NAME/);
    expect(() => parseOptions([], { ...env, LYNCEUS_PUBLIC_URL: "l.example.org" })).toThrow(/LYNCEUS_PUBLIC_URL/);
  });
});
