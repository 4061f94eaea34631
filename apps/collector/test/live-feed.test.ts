import { createApiToken, revokeApiToken } from "@lynceus/db/api-tokens";
import { type LiveMessage, liveCloseCodes, liveMessageSchema } from "@lynceus/protocol/live";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type Member, startTestCollector, type TestCollector } from "./support/collector.ts";
import { ewsKey, ewsProbe, observation, systemFacts } from "./support/facts.ts";

let test: TestCollector;
let token: { id: string; secret: string };
let member: Member;
const open: Watcher[] = [];

beforeAll(async () => {
  test = await startTestCollector({ config: { maxWatchersPerToken: 3, liveInterval: 5_000 } });
  token = await createApiToken(test.db, { label: "Grafana", scopes: ["read"], createdBy: "test" });
  member = await test.enroll({ hostname: "pc1" }, { site: "Bern" });
});
afterAll(() => test.stop());

type Of<T extends LiveMessage["type"]> = Extract<LiveMessage, { type: T }>;

/** A client of the live feed that keeps what it heard. */
class Watcher {
  readonly socket: WebSocket;
  readonly heard: LiveMessage[] = [];
  status = 0;
  closed: number | null = null;
  private readonly looks = new Set<() => void>();

  constructor(secret: string | null, path = "/api/v1/live") {
    const headers = secret === null ? {} : { authorization: `Bearer ${secret}` };
    this.socket = new WebSocket(`${test.collector.url}${path}`, { headers });
    const check = () => {
      for (const look of [...this.looks]) look();
    };
    this.socket.on("message", (data) => {
      this.heard.push(liveMessageSchema.parse(JSON.parse(String(data))));
      check();
    });
    this.socket.on("unexpected-response", (request, response) => {
      this.status = response.statusCode ?? 0;
      request.destroy();
      check();
    });
    this.socket.on("close", (code) => {
      this.closed = code;
      check();
    });
    this.socket.on("error", () => {});
    open.push(this);
  }

  until<T>(find: () => T | undefined | null | false | 0): Promise<T> {
    return new Promise((resolve) => {
      const look = () => {
        const found = find();
        if (!found) return;
        this.looks.delete(look);
        resolve(found);
      };
      this.looks.add(look);
      look();
    });
  }
  next<T extends LiveMessage["type"]>(type: T, from = 0): Promise<Of<T>> {
    return this.until(() => this.heard.slice(from).find((message): message is Of<T> => message.type === type));
  }
  send(message: unknown): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }
  async bye(): Promise<void> {
    this.socket.close();
    await this.until(() => this.closed !== null);
  }
}

const watch = async (secret = token.secret) => {
  const watcher = new Watcher(secret);
  await watcher.next("hello");
  return watcher;
};

describe("the live feed", () => {
  it("is closed to whoever has no token, or no such path", async () => {
    const refused = await Promise.all(
      [new Watcher(null), new Watcher("lyn_aaaaaaaaaaaaaaaaaaaaaaaa"), new Watcher(token.secret, "/api/v1/dead")].map(
        (watcher) => watcher.until(() => watcher.status),
      ),
    );
    expect(refused).toEqual([401, 401, 404]);
  });

  it("answers a subscription at once, and again only when its counts changed", async () => {
    const watcher = await watch();
    watcher.send({ type: "subscribe", id: "all", counts: { by: "status", status: ["healthy", "cannot-tell"] } });
    watcher.send({ type: "subscribe", id: "sites", counts: { by: "site", status: ["reporting"] } });
    await watcher.until(() => watcher.heard.filter((message) => message.type === "counts").length === 2);
    expect(watcher.heard.find((message) => message.type === "counts" && message.id === "all")).toMatchObject({
      series: [
        { labels: { status: "healthy" }, value: 0 },
        { labels: { status: "cannot-tell" }, value: 1 },
      ],
      left: 0,
    });
    const before = watcher.heard.length;
    const agent = await test.join(member);
    agent.report([
      observation(1, "system", "system", systemFacts()),
      observation(2, "probe", ewsKey, ewsProbe()),
      observation(3, "probe", "probe:c0ffee00:control:configured", ewsProbe({ target: "control" })),
    ]);
    await agent.untilAcked(3);
    await test.clock.advance(6_000);
    // What was written is told by PostgreSQL; the turn after it tells watchers, once.
    await watcher.until(() => {
      void test.collector.turns.live();
      return watcher.heard.slice(before).some((message) => message.type === "changed");
    });
    await test.collector.turns.live();
    const later = watcher.heard.slice(before).filter((message) => message.type === "counts");
    expect(later.filter((message) => message.id === "sites")).toEqual([]);
    expect(later.length).toBeLessThanOrEqual(1);
    await watcher.bye();
  });

  it("gives all counts once a heartbeat, so that a line goes on where nothing changes", async () => {
    const watcher = await watch();
    watcher.send({ type: "subscribe", id: "a", counts: {} });
    await watcher.next("counts");
    const before = watcher.heard.length;
    await test.clock.advance(60_000);
    await test.collector.turns.liveHeartbeat();
    expect(await watcher.next("counts", before)).toMatchObject({
      id: "a",
      at: new Date(test.clock.now()).toISOString(),
    });
    watcher.send({ type: "unsubscribe", id: "a" });
    watcher.send({ type: "subscribe", id: "b", counts: {} });
    await watcher.until(() => watcher.heard.some((message) => message.type === "counts" && message.id === "b"));
    const after = watcher.heard.length;
    await test.collector.turns.liveHeartbeat();
    expect((await watcher.next("counts", after)).id).toBe("b");
    await watcher.bye();
  });

  it("says what is wrong with a message, and stays", async () => {
    const watcher = await watch();
    const asked = [
      "not json",
      { type: "subscribe", id: "x", counts: { by: "pattern", proxy: "direct" } },
      { type: "shout" },
      { type: "subscribe", id: "y", counts: { by: "colour" } },
    ];
    for (const message of asked) watcher.send(message);
    await watcher.until(() => watcher.heard.filter((message) => message.type === "error").length === asked.length);
    const errors = watcher.heard.filter((message) => message.type === "error");
    expect(errors.map((error) => [error.id, error.code])).toEqual([
      [null, "invalid"],
      ["x", "invalid"],
      [null, "invalid"],
      ["y", "invalid"],
    ]);
    expect(errors[1]?.message).toMatch(/not by both at once/);
    for (let i = 0; i < 33; i++) watcher.send({ type: "subscribe", id: `s${i}`, counts: {} });
    expect(
      await watcher.until(() => watcher.heard.find((m) => m.type === "error" && m.code === "too-many")),
    ).toMatchObject({ id: "s32" });
    await watcher.bye();
  });

  it("counts what its token sees, and says where that is not kept", async () => {
    const at = (scope: { sites: string[] | null; tags: string[] | null }) =>
      createApiToken(test.db, { label: "part", scopes: ["read"], scope, createdBy: "test" });
    const bern = await watch((await at({ sites: ["Bern"], tags: null })).secret);
    const graz = await watch((await at({ sites: ["Graz"], tags: null })).secret);
    const tagged = await watch((await at({ sites: null, tags: ["vip"] })).secret);
    const wall = await createApiToken(test.db, { label: "wall", scopes: ["wall"], createdBy: "test" });
    const refused = new Watcher(wall.secret);
    expect(await refused.until(() => refused.status)).toBe(403);
    for (const watcher of [bern, graz, tagged])
      watcher.send({ type: "subscribe", id: "a", counts: { by: "site", status: "reporting" } });
    expect((await bern.next("counts")).series).toEqual([{ labels: { site: "Bern" }, value: 1 }]);
    expect((await graz.next("counts")).series).toEqual([]);
    expect(await tagged.next("error")).toMatchObject({ id: "a", code: "bad-series" });
    graz.send({ type: "subscribe", id: "b", counts: { site: "Bern" } });
    expect((await graz.next("error")).message).toMatch(/site "Bern" is not in what this access sees: site Graz/);
    for (const watcher of [bern, graz, tagged]) await watcher.bye();
  });

  it("is bounded: clients of one token, the size of a message, how many of them", async () => {
    const three = [await watch(), await watch(), await watch()];
    const fourth = new Watcher(token.secret);
    expect(await fourth.until(() => fourth.status)).toBe(503);
    const [first, second, third] = three as [Watcher, Watcher, Watcher];
    first.send("x".repeat(20_000));
    await first.until(() => first.closed !== null);
    expect(first.closed).toBe(1009);
    for (let i = 0; i < 400; i++) second.send({ type: "unsubscribe", id: "a" });
    await second.until(() => second.closed !== null);
    expect(second.closed).toBe(liveCloseCodes.flooding);
    await third.bye();
  });

  it("ends when the token is revoked, at the next heartbeat", async () => {
    const other = await createApiToken(test.db, { label: "gone", scopes: ["read"], createdBy: "test" });
    const watcher = await watch(other.secret);
    const kept = await watch();
    await revokeApiToken(test.db, other.id, { actor: "test", now: new Date(test.clock.now()) });
    await test.collector.turns.liveHeartbeat();
    await watcher.until(() => watcher.closed !== null);
    expect(watcher.closed).toBe(liveCloseCodes.unauthorized);
    expect(kept.closed).toBeNull();
    await kept.bye();
  });

  it("reads nothing of the database while nobody watches", async () => {
    const reads = async () => {
      const [row] = await test.rows<{ n: number }>(
        "SELECT seq_scan::int AS n FROM pg_stat_user_tables WHERE relname = 'machines'",
      );
      return row?.n ?? 0;
    };
    await test.rows("SELECT pg_stat_force_next_flush()::text");
    const before = await reads();
    for (let i = 0; i < 5; i++) await test.collector.turns.live();
    await test.collector.turns.liveHeartbeat();
    await test.rows("SELECT pg_stat_force_next_flush()::text");
    expect(await reads()).toBe(before);
  });

  it("tells its clients to come back when the collector stops", async () => {
    const other = await test.startAnother("c9");
    const socket = new WebSocket(`${other.url}/api/v1/live`, { headers: { authorization: `Bearer ${token.secret}` } });
    await new Promise((resolve) => socket.once("message", resolve));
    const code = new Promise((resolve) => socket.once("close", resolve));
    await other.stop();
    expect(await code).toBe(liveCloseCodes.restarting);
  });
});
