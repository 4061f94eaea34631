import { describe, expect, it } from "vitest";
import { evaluateInSandbox } from "../src/sandbox.ts";

const limits = { startMs: 20_000, evaluationMs: 20_000, signal: new AbortController().signal };
const request = (script: string, calls: object[] = [{}], more: object = {}) => ({
  script,
  calls: calls.map((call) => ({ url: "https://mail.contoso.com/", host: "mail.contoso.com", ...call })),
  budgetMs: 300,
  myIpAddress: "10.0.0.1",
  dnsServers: null,
  ...more,
});

describe("the sandbox of proxy scripts", () => {
  it("answers each call with the address and the names of its own machine", async () => {
    const script = `function FindProxyForURL(url, host) {
      return "PROXY " + myIpAddress() + ":" + (dnsResolve("in.contoso.com") ? "1" : "2");
    }`;
    const answers = await evaluateInSandbox(
      request(script, [
        { names: { "in.contoso.com": "10.9.9.9" } },
        { myIpAddress: "10.4.0.7", names: { "in.contoso.com": null } },
      ]),
      limits,
    );
    expect(answers).toEqual([
      { ok: true, result: "PROXY 10.0.0.1:1" },
      { ok: true, result: "PROXY 10.4.0.7:2" },
    ]);
  });

  it.each([
    ["loops", "function FindProxyForURL() { for (;;) {} }", /ran too long/],
    [
      "eats memory",
      "function FindProxyForURL() { var a = []; for (;;) a.push(new Array(1e5).join('x')); }",
      /memory|too long/,
    ],
    ["looks for the process", "function FindProxyForURL() { return process.env.PATH; }", /ReferenceError|not defined/],
  ])("makes a script that %s an answer", async (_what, script, why) => {
    const [answer] = await evaluateInSandbox(request(script), limits);
    expect(answer).toMatchObject({ ok: false, why: expect.stringMatching(why) });
  });

  it("asks nothing for nothing, and ends when its caller does", async () => {
    expect(await evaluateInSandbox(request("", []), limits)).toEqual([]);
    const stop = new AbortController();
    const running = evaluateInSandbox(request("function FindProxyForURL() { for (;;) {} }"), {
      ...limits,
      signal: stop.signal,
    });
    stop.abort(new Error("over"));
    await expect(running).rejects.toThrow("over");
  });
});
