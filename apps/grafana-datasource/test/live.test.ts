import { type LiveEnvironment, LiveFeed, socketUrl } from "../src/live";

/*
 * What the feed does when its connection comes and goes. The real feed of a real collector is watched in the browser tests;
 * here time and connections are in the test's hand.
 */
class Line {
  readyState = 0;
  readonly sent: { type: string; id: string }[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  open() {
    this.readyState = 1;
    this.onopen?.();
  }
  hear(message: unknown) {
    this.onmessage?.({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }
  close() {
    this.readyState = 3;
    this.onclose?.();
  }
}

function setUp() {
  const lines: Line[] = [];
  const timers: { work: () => void; ms: number }[] = [];
  const environment: LiveEnvironment = {
    open: () => {
      const line = new Line();
      lines.push(line);
      return line as unknown as WebSocket;
    },
    setTimer: (work, ms) => {
      const timer = { work, ms };
      timers.push(timer);
      return timer;
    },
    clearTimer: (timer) => {
      timers.splice(timers.indexOf(timer), 1);
    },
    random: () => 1,
  };
  const fire = () => timers.shift()?.work();
  return { feed: new LiveFeed(() => "ws://x", environment), lines, timers, fire };
}
const counts = { by: "none" as const, series: 1 };

describe("the live feed", () => {
  it("is one connection for all panels, and asks for each again when it comes back", () => {
    const { feed, lines, timers, fire } = setUp();
    feed.watchCounts(counts).subscribe();
    feed.watchCounts(counts).subscribe();
    expect(lines).toHaveLength(1);
    lines[0]?.open();
    expect(lines[0]?.sent.map(({ id }) => id)).toEqual(["c1", "c2"]);
    lines[0]?.close();
    expect(timers.map(({ ms }) => ms)).toEqual([1_000]);
    fire();
    lines[1]?.open();
    expect(lines[1]?.sent.map(({ type }) => type)).toEqual(["subscribe", "subscribe"]);
  });

  it("waits longer each time, at most a minute, and as at first once the collector has answered", () => {
    const { feed, lines, timers, fire } = setUp();
    feed.watchChanges().subscribe();
    const waits: (number | undefined)[] = [];
    for (let i = 0; i < 8; i++) {
      lines.at(-1)?.close();
      waits.push(timers[0]?.ms);
      fire();
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    lines.at(-1)?.open();
    lines.at(-1)?.hear({ type: "hello" });
    lines.at(-1)?.close();
    expect(timers[0]?.ms).toBe(1_000);
  });

  it("gives counts to who asked for them, words of change to all, and a refusal to one alone", () => {
    const { feed, lines } = setUp();
    const heard: string[] = [];
    feed
      .watchCounts(counts)
      .subscribe({ next: () => heard.push("first"), error: (error) => heard.push(error.message) });
    feed.watchCounts(counts).subscribe({ next: () => heard.push("second") });
    feed.watchChanges().subscribe(() => heard.push("changed"));
    const [line] = lines;
    line?.open();
    line?.hear({ type: "counts", id: "c2", series: [] });
    line?.hear({ type: "changed" });
    line?.hear({ type: "error", id: "c1", code: "unavailable", message: "later" });
    line?.hear({ type: "error", id: "c1", code: "bad-series", message: "not kept" });
    line?.hear("{ not json");
    expect(heard).toEqual(["second", "changed", "not kept"]);
  });

  it("hangs up a while after the last one has gone, and not where another came meanwhile", () => {
    const { feed, lines, timers, fire } = setUp();
    const first = feed.watchCounts(counts).subscribe();
    lines[0]?.open();
    first.unsubscribe();
    expect(lines[0]?.sent.at(-1)?.type).toBe("unsubscribe");
    const second = feed.watchCounts(counts).subscribe();
    expect(timers).toEqual([]);
    expect(lines).toHaveLength(1);
    second.unsubscribe();
    fire();
    expect(lines[0]?.readyState).toBe(3);
    expect(timers).toEqual([]);
    feed.watchChanges().subscribe();
    expect(lines).toHaveLength(2);
  });

  it("goes where Grafana is, also below a path of another server", () => {
    expect(socketUrl("/api/datasources/proxy/uid/x", { protocol: "https:", host: "grafana.example.org" })).toBe(
      "wss://grafana.example.org/api/datasources/proxy/uid/x",
    );
  });
});
