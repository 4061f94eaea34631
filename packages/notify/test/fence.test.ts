import { connectionSchema, reaches } from "@lynceus/protocol/receivers";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FenceError, isAllowed, type Resolve, requireAllowedHost, widerReach } from "../src/fence.ts";
import { sendHttp } from "../src/http.ts";
import { type VendorServer, vendorServer } from "./support/vendor-server.ts";

const now = Date.UTC(2026, 10, 24, 2, 41, 30);

describe("an address", () => {
  test.each([
    ["8.8.8.8", ["public", "private", "loopback"]],
    ["2606:4700::1", ["public", "private", "loopback"]],
    ["10.40.8.21", ["private", "loopback"]],
    ["fd12::1", ["private", "loopback"]],
    ["127.0.0.1", ["loopback"]],
    ["::1", ["loopback"]],
    ["::ffff:127.0.0.1", ["loopback"]],
    ["169.254.169.254", []],
    ["169.254.1.1", []],
    ["::ffff:169.254.169.254", []],
    ["64:ff9b::a9fe:a9fe", []],
    ["2002:a9fe:a9fe::1", []],
    ["fd00:ec2::254", []],
    ["100.100.100.200", []],
    ["168.63.129.16", []],
    ["fe80::1", []],
    ["0.0.0.0", []],
    ["::", []],
    ["224.0.0.1", []],
    ["ff02::1", []],
    ["255.255.255.255", []],
  ])("%s may be connected to where the reach is one of %j", (address, allowed) => {
    expect(reaches.filter((reach) => isAllowed(address, reach))).toEqual(allowed);
  });

  test("is never allowed by a narrower reach alone", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const allowed = reaches.map((reach) => isAllowed(address, reach));
        expect(allowed).toEqual([...allowed].sort((a, b) => Number(a) - Number(b)));
      }),
    );
  });

  test("of an installation and a receiver reaches as far as the wider says", () => {
    expect(widerReach("public", "private")).toBe("private");
    expect(widerReach("loopback", "public")).toBe("loopback");
  });
});

describe("a host that needs no resolving", () => {
  test.each([
    ["169.254.169.254", /nothing is ever sent to/],
    ["[fe80::1]", /nothing is ever sent to/],
    ["metadata.google.internal", /metadata service/],
    ["metadata.google.internal.", /metadata service/],
    ["instance-data.ec2.internal", /metadata service/],
    ["localhost", /this machine itself; set connection\.reach to "loopback"/],
    ["a.localhost", /this machine itself/],
    ["127.0.0.1", /this machine itself/],
    ["10.0.0.1", /in a private network; set connection\.reach to "private"/],
  ])("%s is refused with the reason", (host, message) => {
    expect(() => requireAllowedHost(host, "public")).toThrow(FenceError);
    expect(() => requireAllowedHost(host, "public")).toThrow(message);
  });
  test.each(["hooks.slack.com", "8.8.8.8", "metadata.contoso.com", "localhost.contoso.com"])("%s passes", (host) => {
    expect(() => requireAllowedHost(host, "public")).not.toThrow();
  });
});

describe("a delivery", () => {
  let server: VendorServer;
  beforeAll(async () => {
    server = await vendorServer();
  });
  afterAll(() => server.close());

  const to = (url: string, resolve: Resolve, reach: "public" | "private" | "loopback" = "public") =>
    sendHttp({ url, body: "{}" }, connectionSchema.parse({ reach }), { now, resolve });
  const resolvesTo =
    (...addresses: string[]): Resolve =>
    async () =>
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

  test.each([
    ["127.0.0.1", "public"],
    ["127.0.0.1", "private"],
    ["169.254.169.254", "loopback"],
    ["0.0.0.0", "loopback"],
    ["::ffff:127.0.0.1", "private"],
  ] as const)("to a name that leads to %s is refused where the reach is %s", async (address, reach) => {
    const before = server.received.length;
    const outcome = await to(`http://pager.contoso.com:${server.port}/`, resolvesTo(address), reach);
    expect(outcome).toEqual({ outcome: "rejected", reason: expect.stringContaining("pager.contoso.com leads to") });
    expect(server.received).toHaveLength(before);
  });

  test.each(["http://2130706433", "http://0x7f.1", "http://127.1", "http://[::ffff:7f00:1]", "http://017700000001"])(
    "to this machine written as %s is refused",
    async (origin) => {
      const outcome = await to(`${origin}:${server.port}/`, resolvesTo("8.8.8.8"));
      expect(outcome).toMatchObject({ outcome: "rejected", reason: expect.stringContaining("this machine itself") });
    },
  );

  test("connects to the address that was judged: a name that leads elsewhere the next time gains nothing", async () => {
    let asked = 0;
    const rebinding: Resolve = async () => [{ address: ["127.0.0.1", "169.254.169.254"][asked++] ?? "", family: 4 }];
    const url = `http://pager.contoso.com:${server.port}/`;
    expect(await to(url, rebinding, "loopback")).toMatchObject({ outcome: "delivered" });
    expect(asked).toBe(1);
    expect(await to(url, rebinding, "loopback")).toMatchObject({ outcome: "rejected" });
    expect(asked).toBe(2);
  });

  test("goes to the allowed addresses of a name that has others as well", async () => {
    const mixed = resolvesTo("169.254.169.254", "127.0.0.1", "fe80::1");
    expect(await to(`http://pager.contoso.com:${server.port}/`, mixed, "loopback")).toMatchObject({
      outcome: "delivered",
    });
  });

  test("is let further by the installation than by the receiver", async () => {
    const url = `http://pager.contoso.com:${server.port}/`;
    const context = { now, resolve: resolvesTo("127.0.0.1"), reach: "loopback" as const };
    expect(await sendHttp({ url, body: "{}" }, connectionSchema.parse({}), context)).toMatchObject({
      outcome: "delivered",
    });
  });
});
