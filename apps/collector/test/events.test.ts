import { createApiToken, revokeApiToken } from "@lynceus/db/api-tokens";
import { noteIncident } from "@lynceus/db/incident-acts";
import { type Parts, partScopes, seedParts } from "@lynceus/db/testing-parts";
import { everyMachine, type Scope } from "@lynceus/protocol/access";
import { incidentChangeSchema } from "@lynceus/protocol/read-api-incidents";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startTestCollector, type TestCollector } from "./support/collector.ts";

interface ServerEvent {
  readonly id: string | null;
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what was sent
  readonly data: any;
}

/** A client of server-sent events that keeps what it heard. */
class Listener {
  readonly heard: ServerEvent[] = [];
  comments = 0;
  readonly closed: Promise<void>;
  private readonly abort = new AbortController();
  private constructor(answer: Response, abort: AbortController) {
    this.abort = abort;
    this.closed = this.read(answer);
  }

  static async open(url: string, secret: string, headers: Record<string, string> = {}): Promise<Listener> {
    const abort = new AbortController();
    const answer = await fetch(url, {
      headers: { authorization: `Bearer ${secret}`, ...headers },
      signal: abort.signal,
    });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
    return new Listener(answer, abort);
  }

  private async read(answer: Response): Promise<void> {
    let rest = "";
    try {
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
        rest += chunk;
        const blocks = rest.split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) this.take(block);
      }
    } catch {
      // Closed by us.
    }
  }

  private take(block: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? null;
    if (block.startsWith(":")) this.comments++;
    const data = field("data");
    if (data !== null) this.heard.push({ id: field("id"), event: field("event") ?? "", data: JSON.parse(data) });
  }

  notes(): string[] {
    return this.heard.flatMap(({ event, data }) =>
      event === "incident" && data.event.kind === "note" ? [data.event.text] : [],
    );
  }

  close(): void {
    this.abort.abort();
  }
}

let test: TestCollector;
let parts: Parts;
const listeners: Listener[] = [];
const secrets = new Map<string, { id: string; secret: string }>();

beforeAll(async () => {
  test = await startTestCollector({ config: { maxWatchersPerToken: 3, apiRequestsPerMinute: 10_000 } });
  parts = await seedParts(test.db, new Date(test.clock.now()));
});
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.close();
});
afterAll(() => test.stop());

async function tokenOf(scope: Scope) {
  const key = JSON.stringify(scope);
  const known = secrets.get(key);
  if (known) return known;
  const made = await createApiToken(test.db, { label: "events", scopes: ["read"], scope, createdBy: "test" });
  secrets.set(key, made);
  return made;
}
const address = (query = "") => `${test.collector.url.replace("ws:", "http:")}/api/v1/events${query}`;
async function listen(scope: Scope = everyMachine, query = "", headers: Record<string, string> = {}) {
  const listener = await Listener.open(address(query), (await tokenOf(scope)).secret, headers);
  listeners.push(listener);
  return listener;
}

const note = async (of: "BERN" | "GRAZ", text: string) => {
  const by = { actor: "ann", now: new Date(test.clock.now()) };
  expect(await noteIncident(test.db, Number(parts[of].incident), { ...by, text })).toBe(true);
  // The database's own notification sets it as well, a moment later.
  test.collector.events.noteChange();
  await test.collector.turns.events();
};

describe("events of incidents", () => {
  it("are sent as they happen, once, with the incident as it is", async () => {
    const listener = await listen();
    await note("BERN", "px1 was restarted");
    await note("GRAZ", "nobody knows why");
    await test.collector.turns.events();
    await expect.poll(() => listener.notes()).toEqual(["px1 was restarted", "nobody knows why"]);
    const [first] = listener.heard.filter(({ event }) => event === "incident");
    expect(incidentChangeSchema.parse(first?.data).incident.number).toBe(Number(parts.BERN.incident));
    expect(first?.id).toBe(first?.data.event.id);
  });

  it("are those of the machines that the token sees", async () => {
    const [bern, graz] = [await listen(partScopes.BERN), await listen(partScopes.GRAZ)];
    await note("BERN", "of Bern alone");
    await note("GRAZ", "of Graz alone");
    await expect.poll(() => bern.notes()).toEqual(["of Bern alone"]);
    await expect.poll(() => graz.notes()).toEqual(["of Graz alone"]);
    expect(JSON.stringify(bern.heard)).not.toContain("Graz");
  });

  it("go on after the last one that a client knows", async () => {
    const before = await listen();
    await note("BERN", "heard");
    await expect.poll(() => before.notes()).toEqual(["heard"]);
    const last = before.heard.findLast(({ event }) => event === "incident")?.id ?? "";
    before.close();
    await note("BERN", "missed");
    const back = await listen(everyMachine, "", { "last-event-id": last });
    await expect.poll(() => back.notes()).toEqual(["missed"]);
    await note("BERN", "new");
    await expect.poll(() => back.notes()).toEqual(["missed", "new"]);
  });

  it("that were numbered early and committed late are sent as well", async () => {
    const listener = await listen();
    await note("BERN", "first");
    await expect.poll(() => listener.notes()).toEqual(["first"]);
    let leave = () => {};
    let slow: Promise<unknown> = Promise.resolve();
    await new Promise<void>((entered) => {
      slow = test.db.prisma.$transaction(async (prisma) => {
        await prisma.$executeRaw`
          INSERT INTO incident_events (incident, at, kind, text, detail)
          VALUES (${Number(parts.GRAZ.incident)}, now(), 'note', 'slow', '{}')`;
        const left = new Promise<void>((resolve) => {
          leave = resolve;
        });
        entered();
        await left;
      });
    });
    await note("BERN", "fast");
    await expect.poll(() => listener.notes()).toEqual(["first", "fast"]);
    leave();
    await slow;
    test.collector.events.noteChange();
    await test.collector.turns.events();
    await expect.poll(() => listener.notes()).toEqual(["first", "fast", "slow"]);
  });

  it("end by themselves when nobody wants to follow", async () => {
    const once = await listen(everyMachine, "?follow=false&after=0");
    await once.closed;
    expect(once.heard.length).toBeGreaterThan(3);
    expect(once.heard.every(({ event }) => event === "incident")).toBe(true);
  });
});

describe("whoever follows events", () => {
  it("hears without content that something changed, unless it does not want to", async () => {
    const [all, few] = [await listen(), await listen(everyMachine, "?changes=false")];
    await note("BERN", "x");
    await expect.poll(() => all.heard.map(({ event }) => event)).toEqual(["incident", "changed"]);
    await expect.poll(() => few.heard.map(({ event }) => event)).toEqual(["incident"]);
    expect(all.heard[1]?.data).toEqual({ at: expect.any(String) });
  });

  it("hears a sign of life, and is let go when the token is revoked", async () => {
    const scope = { sites: ["Bern", "Oslo"], tags: null };
    const listener = await listen(scope);
    await test.collector.turns.eventHeartbeat();
    await expect.poll(() => listener.comments).toBe(2);
    await revokeApiToken(test.db, (await tokenOf(scope)).id, { actor: "test", now: new Date(test.clock.now()) });
    await test.collector.turns.eventHeartbeat();
    await listener.closed;
  });

  it("is refused beyond the bound of a token", async () => {
    const scope = { sites: ["Graz", "Oslo"], tags: null };
    for (let i = 0; i < 3; i++) await listen(scope);
    const { secret } = await tokenOf(scope);
    const refused = await fetch(address(), { headers: { authorization: `Bearer ${secret}` } });
    expect(refused.status).toBe(429);
    expect(((await refused.json()) as { error: { code: string } }).error.code).toBe("too-many-watchers");
  });

  it.each(["?after=x", "?site=Bern", "?follow=maybe"])("is told that %s is wrong", async (query) => {
    const { secret } = await tokenOf(everyMachine);
    const refused = await fetch(address(query), { headers: { authorization: `Bearer ${secret}` } });
    expect(refused.status).toBe(400);
  });
});
