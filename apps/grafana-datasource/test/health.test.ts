import { addressProblem, authorityProblem } from "../src/components/ConfigEditor";
import { ApiFailure, failureOf } from "../src/errors";
import { healthOf, healthOfFailure } from "../src/health";
import { safeBase, seriesLinks } from "../src/links";

const now = Date.parse("2026-11-26T12:00:00.000Z");
const about = {
  product: "lynceus",
  version: "0.1.0",
  apiVersion: 1,
  now: new Date(now).toISOString(),
  dashboardUrl: null,
  token: { label: "Grafana", scopes: ["read"], sees: "the whole fleet", expiresAt: null },
};

describe("the health check", () => {
  it("names who answers and what the token sees", () => {
    expect(healthOf(about, now)).toEqual({
      status: "success",
      message: 'Lynceus 0.1.0 answers; the token "Grafana" sees the whole fleet.',
    });
  });

  it("names the URL where something else answers", () => {
    expect(healthOf("<!doctype html>", now).message).toMatch(/^URL: .*not the dashboard's/);
    expect(healthOf({ status: "ok" }, now).status).toBe("error");
    expect(healthOfFailure(new ApiFailure(404, null, "")).message).toMatch(/^URL: what answers there \(404\)/);
  });

  it("names the version, and what to update", () => {
    expect(healthOf({ ...about, apiVersion: 2 }, now).message).toMatch(/^Version: .*Update the plugin\.$/);
    expect(healthOf({ ...about, apiVersion: 0 }, now).message).toMatch(/Update the collector\.$/);
  });

  it("names the token: refused, of too little, or soon to expire", () => {
    const refused = failureOf({
      status: 400,
      statusText: "Bad Request",
      data: "Authentication to data source failed",
      config: {},
    });
    expect(healthOfFailure(refused).message).toMatch(/^Token: the collector does not accept it/);
    const forbidden = failureOf({
      status: 403,
      data: { error: { code: "forbidden", message: 'this needs scope "read"', requestId: "r" } },
      config: {},
    });
    expect(healthOfFailure(forbidden).message).toMatch(/^Token: this needs scope "read"/);
    const soon = { ...about, token: { ...about.token, expiresAt: new Date(now + 3 * 86_400_000).toISOString() } };
    expect(healthOf(soon, now)).toMatchObject({
      status: "warning",
      message: expect.stringMatching(/expires in 3 days/),
    });
  });

  it("names the certificate beside the URL where nothing is reached, since Grafana does not tell the two apart", () => {
    for (const status of [502, 504])
      expect(healthOfFailure(failureOf({ status, data: "", config: {} })).message).toMatch(
        /^URL or certificate: .*ca\.pem/,
      );
  });

  it("warns of clocks that differ", () => {
    expect(healthOf(about, now + 20 * 60_000)).toMatchObject({
      status: "warning",
      message: expect.stringMatching(/20 min/),
    });
  });
});

describe("an error of the API", () => {
  it("keeps its words, and its request id where the fault is the server's", () => {
    const body = (status: number) =>
      failureOf({
        status,
        data: { error: { code: "x", message: "since is not before until", requestId: "r-1" } },
        config: {},
      });
    expect(body(400).message).toBe("since is not before until");
    expect(body(500).message).toBe("since is not before until (request r-1)");
  });

  it("is itself where it is no answer", () => {
    expect(failureOf(new Error("x")).message).toBe("x");
    expect(failureOf({ status: 429, data: null, config: {} }).message).toMatch(/no more requests/);
  });
});

describe("an address", () => {
  it("is refused with the value, the rule and an example", () => {
    expect(addressProblem("")).toBeNull();
    expect(addressProblem("https://collector.example.org:7443")).toBeNull();
    expect(addressProblem("http://127.0.0.1:7443")).toBeNull();
    expect(addressProblem("collector.example.org")).toMatch(/"collector.example.org" has no scheme; use e.g. https:/);
    expect(addressProblem("http://collector.example.org")).toMatch(/clear text/);
  });

  it("of an authority is a certificate alone: a key with it is refused before it is sent", () => {
    const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    expect(authorityProblem("")).toBeNull();
    expect(authorityProblem(pem)).toBeNull();
    expect(authorityProblem(`-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n${pem}`)).toMatch(
      /private key/,
    );
    expect(authorityProblem("nonsense")).toMatch(/no certificate in PEM form/);
  });

  it("is no link unless it is http or https", () => {
    expect(safeBase("javascript:alert(1)")).toBeNull();
    expect(safeBase("nonsense")).toBeNull();
    expect(safeBase("https://l.example.org/lynceus/?x#y")).toBe("https://l.example.org/lynceus");
  });

  it("of a series' machines says the same in the filter language", () => {
    const urls = seriesLinks("https://l", { site: 'New "York"' }).map(({ url }) => decodeURIComponent(url));
    expect(urls).toEqual(['https://l/machines?q=status:failing site:"New \\"York\\""']);
    expect(seriesLinks(null, { site: "Bern" })).toEqual([]);
    expect(seriesLinks("https://l", { pattern: "pac-unreachable" })).toHaveLength(2);
    expect(seriesLinks("https://l", { status: "reporting" })[0]?.title).toBe("Open Lynceus");
  });
});
