import { type Maintenance, maintenanceSchema, type Schedule, scheduleSchema } from "@lynceus/protocol/alerting";
import { describe, expect, test } from "vitest";
import { monthOf, neighbour, nextOf, weeksOf } from "../src/components/maintenance/month.ts";
import { ruleText } from "../src/components/maintenance/words.ts";
import { standingOf, stripOf } from "../src/components/on-call/turns.ts";
import { emptyWindow, newId, readWindow, valuesOf } from "../src/lib/window-input.ts";

const now = Date.parse("2026-11-24T01:41:00Z");
const zone = "Europe/Zurich";
const hour = 3_600_000;
const window = (given: Partial<Maintenance> & Pick<Maintenance, "when">): Maintenance =>
  maintenanceSchema.parse({ id: "w", name: "W", match: "site:Bern", zone, ...given });
const sunday = window({ when: { kind: "weekly", days: ["sun"], at: "23:00", minutes: 180 } });

describe("a month of maintenance", () => {
  test("has whole weeks from Monday on, and each window on each day that it touches", () => {
    const weeks = weeksOf("2026-11", [sunday], zone);
    expect(weeks.map((week) => week[0]?.date)).toEqual([
      "2026-10-26",
      "2026-11-02",
      "2026-11-09",
      "2026-11-16",
      "2026-11-23",
      "2026-11-30",
    ]);
    const days = weeks.flat().filter(({ windows }) => windows.length > 0);
    expect(days.map(({ date }) => date).slice(0, 5)).toEqual([
      // It began on the Sunday before the first week.
      "2026-10-26",
      "2026-11-01",
      "2026-11-02",
      "2026-11-08",
      "2026-11-09",
    ]);
    expect(days[1]?.windows[0]).toMatchObject({ fromBefore: false, goesOn: true });
    expect(days[2]?.windows[0]).toMatchObject({
      from: Date.parse("2026-11-01T23:00:00Z"),
      to: Date.parse("2026-11-02T01:00:00Z"),
      fromBefore: true,
      goesOn: false,
    });
  });

  test("is the viewer's: a window in Singapore's morning is on the evening before in Zürich", () => {
    const away = window({ zone: "Asia/Singapore", when: { kind: "daily", at: "03:00", minutes: 60 } });
    const [day] = weeksOf("2026-11", [away], zone)[1] ?? [];
    expect(day?.windows.map(({ from }) => new Date(from).toISOString())).toEqual(["2026-11-02T19:00:00.000Z"]);
  });

  test("that an address does not name is the present one, and has neighbours over the year's end", () => {
    expect(monthOf("2026-13", now, zone)).toBe("2026-11");
    expect(monthOf(["x"], now, zone)).toBe("2026-11");
    expect(monthOf("2027-02", now, zone)).toBe("2027-02");
    expect([neighbour("2026-12", 1), neighbour("2027-01", -1)]).toEqual(["2027-01", "2026-12"]);
  });

  test("a window that is over has no next one", () => {
    const once = window({ when: { kind: "once", from: "2026-11-01T02:00", to: "2026-11-01T04:00" } });
    expect(nextOf(once, now)).toBeNull();
    expect(nextOf(sunday, now)).toMatchObject({ from: Date.parse("2026-11-29T22:00:00Z") });
  });
});

describe("a window's form", () => {
  test.each<Maintenance["when"]>([
    { kind: "once", from: "2026-12-01T02:00", to: "2026-12-01T04:00" },
    { kind: "daily", at: "03:00", minutes: 60 },
    { kind: "weekly", days: ["sat", "sun"], at: "02:00", minutes: 90 },
    { kind: "monthly", nth: -1, day: "fri", at: "22:00", minutes: 240 },
  ])("gives back what it was made from: %j", (when) => {
    const given = window({ when, note: "px2" });
    expect(readWindow(valuesOf(given), given.id)).toEqual({ window: given, errors: {} });
    expect(ruleText(given).length).toBeGreaterThan(10);
  });

  test("says what is wrong beside each field, with an example", () => {
    const { window: none, errors } = readWindow(
      { ...emptyWindow("Mars/Olympus"), kind: "weekly", days: [], at: "25:00", minutes: "long" },
      "w",
    );
    expect(none).toBeNull();
    expect(errors).toMatchObject({
      name: expect.stringContaining("use e.g. Berlin, Sunday"),
      match: expect.stringContaining("site:Berlin"),
      zone: expect.stringContaining("Europe/Berlin"),
      days: "No day is chosen.",
      at: expect.stringContaining("09:00"),
      minutes: expect.stringContaining("use e.g. 120"),
    });
  });

  test("names what it makes by its name, and never twice", () => {
    expect(newId("Zürich, Sonntag 02:00", [])).toBe("zurich-sonntag-02-00");
    expect(newId("W", ["w", "w-2"])).toBe("w-3");
    expect(newId("!!!", [])).toBe("window");
  });
});

describe("who is on call", () => {
  const schedule: Schedule = scheduleSchema.parse({
    id: "s",
    name: "S",
    zone,
    layers: [
      {
        people: ["a", "b"],
        start: "2026-11-23T09:00",
        turn: { every: 1, unit: "day" },
        hours: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "09:00", to: "17:00" }],
      },
    ],
    overrides: [{ from: "2026-11-24T12:00", to: "2026-11-24T13:00", person: "c" }],
  });

  test("is nobody at night, then whoever's turn it is, and the gaps of four weeks are known", () => {
    const { now: first, next, gaps } = standingOf(schedule, now);
    expect(first).toMatchObject({ person: null, by: "gap", to: Date.parse("2026-11-24T08:00:00Z") });
    expect(next).toMatchObject({ person: "b", from: Date.parse("2026-11-24T08:00:00Z") });
    expect(gaps[0]).toEqual({ from: now, to: Date.parse("2026-11-24T08:00:00Z") });
    expect(gaps).toHaveLength(21);
  });

  test("who comes again after a gap is next", () => {
    const alone = { ...schedule, overrides: [], layers: schedule.layers.map((layer) => ({ ...layer, people: ["a"] })) };
    const noon = Date.parse("2026-11-24T11:00:00Z");
    expect(standingOf(alone, noon).next).toMatchObject({ person: "a", from: Date.parse("2026-11-25T08:00:00Z") });
  });

  test("is drawn to scale over two weeks, with overrides", () => {
    const { parts, days, now: at } = stripOf(schedule, now, zone);
    expect(days).toHaveLength(14);
    expect(parts.reduce((sum, { width }) => sum + width, 0)).toBeCloseTo(100);
    expect(parts.find(({ by }) => by === "override")).toMatchObject({ person: "c" });
    expect(at).toBeCloseTo(((1 + 41 / 60 + 1) * hour * 100) / (14 * 24 * hour), 1);
  });
});
