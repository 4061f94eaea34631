import { expect, it } from "vitest";
import { cause, config, finding, hour, machine, machines, minute, second, World } from "./support/world.ts";

const pages = (world: World) => world.notices.filter(({ kind }) => kind === "opened");
const sites = ["Singapore", "Manila", "Perth", "Zurich"];

/** Every site has as many machines as the fleet of the storm. */
function fleet(): World {
  const world = new World(config());
  for (const site of sites) world.sites.set(`real|inside|${site}`, 7_000);
  return world;
}

it("a storm of 20,000 machines behind one proxy within ten seconds is one page, within 15 s of the first finding", () => {
  const world = fleet();
  const own = finding("proxy-unreachable", "px1:8080 does not answer (refused)");
  const shared = finding("fleet-shared-proxy", "px1:8080 fails for all behind it");
  const begin = world.now;
  let count = 0;
  // Names change while it grows, as they do: each machine by itself, then the fleet's pattern, then a cause.
  world.advance(10 * second, (now) => {
    const passed = now - begin;
    const primary = passed > 4 * second ? shared : own;
    for (const target = passed * 2; count < target; count++)
      world.put(machine(`m${count}`, { site: sites[count % 4] ?? null, primary, patterns: [primary.pattern] }));
    if (passed > 6 * second) world.causes = [cause({ explains: count, of: count })];
  });
  expect(count).toBe(20_000);
  for (const id of [...world.machines.keys()]) world.change([id], { primary: shared });
  world.advance(10 * minute);
  expect(world.told).toEqual(["opened pager 1"]);
  expect((world.notices[0]?.at ?? 0) - begin).toBeLessThanOrEqual(15 * second);
  expect(world.incident(1)).toMatchObject({ failing: 20_000, peak: 20_000, rank: 1 });
  world.heal();
  world.advance(6 * minute);
  expect(world.told).toEqual(["opened pager 1", "resolved pager 1"]);
});

it("two causes at once are two pages", () => {
  const world = fleet();
  world.put(
    ...machines(2_000, { primary: finding("proxy-unreachable", "px1:8080 does not answer (refused)") }, "a"),
    ...machines(
      1_000,
      { primary: finding("tls-interception", "Zscaler decrypts mail"), values: { proxy: "px2:8080" } },
      "b",
    ),
  );
  world.causes = [cause({ explains: 2_000, of: 3_000 })];
  world.advance(30 * minute);
  expect(pages(world)).toHaveLength(2);
  expect(world.told).toHaveLength(2);
});

it.each([10, 30, 60, 120, 240])("flapping each %s s for ten minutes is at most two notices", (period) => {
  const world = fleet();
  const begin = world.now;
  world.advance(10 * minute, (now) => {
    if (Math.floor((now - begin) / (period * second)) % 2 === 0) world.put(...machines(50));
    else world.heal();
  });
  expect(world.told.length).toBeGreaterThanOrEqual(1);
  expect(world.told.length).toBeLessThanOrEqual(2);
  expect(world.told[0]).toBe("opened pager 1");
  expect(world.incidents).toHaveLength(1);
});

it("a fault that rolls over the fleet for 30 minutes is one incident that grows, and one page", () => {
  const world = fleet();
  const begin = world.now;
  let count = 0;
  world.advance(30 * minute, (now) => {
    const target = Math.floor(((now - begin) / (30 * minute)) * 3_000);
    for (; count < target; count++) {
      const site = sites[Math.floor(count / 750)] ?? null;
      world.put(machine(`m${count}`, { site, since: now }));
    }
    if (count > 20) world.causes = [cause({ explains: count, of: count })];
  });
  expect(world.incidents).toHaveLength(1);
  expect(world.incident(1)).toMatchObject({ failing: 3_000, peak: 3_000 });
  expect(pages(world)).toHaveLength(1);
  // What is told beside the page says how large it has become; none comes within five minutes of the last.
  const others = world.notices.filter(({ kind }) => kind !== "opened");
  expect(others.every(({ kind }) => kind === "grew")).toBe(true);
  for (const [index, { at }] of world.notices.entries())
    if (index > 0) expect(at - (world.notices[index - 1]?.at ?? 0)).toBeGreaterThanOrEqual(5 * minute);
});

it("stale and cannot tell page nobody, a site that falls silent pages the owners of monitoring", () => {
  const world = new World(
    config({
      routes: [
        { id: "monitoring", name: "Monitoring", match: "pattern:fleet-blind", receivers: ["team"] },
        { id: "all", name: "Everything", receivers: ["pager"] },
      ],
    }),
  );
  world.put(
    ...machines(500, { status: "stale" }, "s"),
    ...machines(500, { status: "cannot-tell", primary: null, patterns: [] }, "c"),
  );
  world.advance(hour);
  expect(world.told).toEqual([]);
  world.put(...machines(300, { site: "Manila", status: "stale", patterns: ["fleet-blind"] }, "q"));
  world.advance(minute);
  expect(world.told).toEqual(["opened team 1"]);
});

it("data that comes late, after an outage of the collector, pages nobody", () => {
  const world = fleet();
  world.put(...machines(5_000, { late: true, since: world.now - 3 * hour }));
  world.advance(minute);
  // The fresh cycles show that all is well again.
  world.heal();
  world.advance(hour);
  expect(world.told).toEqual([]);
});
