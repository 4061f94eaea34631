import type { Hours, Maintenance, Schedule } from "@lynceus/protocol/alerting";
import { describe, expect, it } from "vitest";
import { hoursAt, nextEdge } from "../src/hours.ts";
import { occurrences, windowAt } from "../src/maintenance.ts";
import { gaps, onCallAt, shifts } from "../src/on-call.ts";
import { instantOf } from "../src/wall-clock.ts";

const berlin = "Europe/Berlin";
const utc = (text: string) => Date.parse(`${text}Z`);
const iso = (at: number) => new Date(at).toISOString().slice(0, 16);

describe("a wall clock", () => {
  it.each([
    ["in winter", "2026-01-15T09:00", "2026-01-15T08:00"],
    ["in summer", "2026-07-15T09:00", "2026-07-15T07:00"],
    ["at a time that spring leaves out, an hour later", "2026-03-29T02:30", "2026-03-29T01:30"],
    ["at a time that autumn has twice, the first of the two", "2026-10-25T02:30", "2026-10-25T00:30"],
  ])("gives the instant %s", (_, wall, expected) => {
    expect(iso(instantOf(wall, berlin))).toBe(expected);
  });
});

describe("hours of a week", () => {
  const night: Hours = { zone: berlin, days: ["mon", "tue", "wed", "thu", "fri"], from: "22:00", to: "07:00" };

  it.each([
    ["Friday evening", "2026-11-27T21:30", true],
    ["Saturday morning, which began on Friday", "2026-11-28T05:30", true],
    ["Saturday evening", "2026-11-28T21:30", false],
    ["Monday morning before seven, which would have begun on Sunday", "2026-11-23T05:30", false],
    ["noon", "2026-11-25T11:00", false],
    ["the first minute", "2026-11-25T21:00", true],
    ["the minute it ends", "2026-11-26T06:00", false],
  ])("hold on %s or not", (_, at, inside) => {
    expect(hoursAt(night, utc(at)) !== null).toBe(inside);
  });

  it("are an hour shorter in the night in which the clocks go forward", () => {
    const span = hoursAt({ ...night, days: ["sat"] }, utc("2026-03-28T23:00"));
    expect(span && (span.to - span.from) / 3_600_000).toBe(8);
  });

  it("of equal times are the whole day", () => {
    const day: Hours = { zone: berlin, days: ["sun"], from: "00:00", to: "00:00" };
    expect(hoursAt(day, utc("2026-10-25T22:59"))).not.toBeNull();
    expect(hoursAt(day, utc("2026-10-25T23:00"))).toBeNull();
  });

  it("say when they begin or end next", () => {
    expect(iso(nextEdge(night, utc("2026-11-25T11:00")) ?? 0)).toBe("2026-11-25T21:00");
    expect(iso(nextEdge(night, utc("2026-11-25T21:30")) ?? 0)).toBe("2026-11-26T06:00");
    expect(iso(nextEdge(night, utc("2026-11-28T12:00")) ?? 0)).toBe("2026-11-30T21:00");
  });
});

const window = (when: Maintenance["when"], change: Partial<Maintenance> = {}): Maintenance => ({
  id: "w",
  name: "Window",
  match: "",
  zone: berlin,
  when,
  validFrom: null,
  validUntil: null,
  note: "",
  ...change,
});

describe("a maintenance window", () => {
  const sundays = window({ kind: "weekly", days: ["sun"], at: "02:00", minutes: 240 });

  it("that comes weekly begins by the clock, and lasts as long in real time in every season", () => {
    const spans = occurrences(sundays, utc("2026-03-20T00:00"), utc("2026-04-10T00:00"));
    expect(spans.map(({ from, to }) => [iso(from), (to - from) / 3_600_000])).toEqual([
      ["2026-03-22T01:00", 4],
      // 02:00 does not exist on that day: it begins at 03:00 of summer time.
      ["2026-03-29T01:00", 4],
      ["2026-04-05T00:00", 4],
    ]);
  });

  it("that comes weekly in autumn begins at the first of the two hours", () => {
    const [span] = occurrences(sundays, utc("2026-10-25T00:00"), utc("2026-10-25T01:00"));
    expect(iso(span?.from ?? 0)).toBe("2026-10-25T00:00");
  });

  it("that began on the evening before is still in force after midnight", () => {
    const nightly = window({ kind: "daily", at: "23:00", minutes: 180 });
    expect(windowAt(nightly, utc("2026-11-25T00:30"))).not.toBeNull();
    expect(windowAt(nightly, utc("2026-11-25T01:00"))).toBeNull();
  });

  it.each([
    [1, "2026-11-01"],
    [4, "2026-11-22"],
    [-1, "2026-11-29"],
  ] as const)("of the nth (%s) Sunday of a month is on that one alone", (nth, day) => {
    const monthly = window({ kind: "monthly", nth, day: "sun", at: "02:00", minutes: 60 });
    const spans = occurrences(monthly, utc("2026-11-01T00:00"), utc("2026-12-01T00:00"));
    expect(spans.map(({ from }) => iso(from).slice(0, 10))).toEqual([day]);
  });

  it("is once where it says so, and never before its first nor after its last day", () => {
    const once = window({ kind: "once", from: "2026-11-24T02:00", to: "2026-11-24T04:00" });
    expect(windowAt(once, utc("2026-11-24T01:00"))).toEqual({
      from: utc("2026-11-24T01:00"),
      to: utc("2026-11-24T03:00"),
    });
    expect(windowAt(once, utc("2026-11-24T03:00"))).toBeNull();
    const bounded = window(
      { kind: "daily", at: "02:00", minutes: 60 },
      { validFrom: "2026-11-10", validUntil: "2026-11-11" },
    );
    const spans = occurrences(bounded, utc("2026-11-01T00:00"), utc("2026-12-01T00:00"));
    expect(spans.map(({ from }) => iso(from).slice(0, 10))).toEqual(["2026-11-10", "2026-11-11"]);
  });
});

const rota = (change: Partial<Schedule> = {}): Schedule => ({
  id: "ops",
  name: "Operations",
  zone: berlin,
  layers: [
    { people: ["anna", "bert", "cleo"], start: "2026-01-05T09:00", turn: { every: 1, unit: "week" }, hours: [] },
  ],
  overrides: [],
  ...change,
});

describe("an on-call schedule", () => {
  it.each([
    ["before the first hand-over nobody", "2026-01-05T07:59", null],
    ["from the first hand-over the first", "2026-01-05T08:00", "anna"],
    ["a minute before the second still the first", "2026-01-12T07:59", "anna"],
    ["from the second the second", "2026-01-12T08:00", "bert"],
    ["after all of them the first again", "2026-01-26T08:00", "anna"],
    // Summer time: nine o'clock is an hour earlier in UTC.
    ["in summer by the same clock", "2026-03-30T07:00", "anna"],
    ["in summer not an hour later", "2026-03-30T06:59", "cleo"],
  ])("has %s", (_, at, person) => {
    expect(onCallAt(rota(), utc(at)).person).toBe(person);
  });

  it("gives each the same share of a day's rotation over the change of the clocks", () => {
    const daily = rota({
      layers: [{ people: ["anna", "bert"], start: "2026-10-23T09:00", turn: { every: 1, unit: "day" }, hours: [] }],
    });
    const found = shifts(daily, utc("2026-10-23T07:00"), utc("2026-10-27T08:00"));
    expect(found.map(({ person, from, to }) => [person, iso(from), (to - from) / 3_600_000])).toEqual([
      ["anna", "2026-10-23T07:00", 24],
      ["bert", "2026-10-24T07:00", 25],
      ["anna", "2026-10-25T08:00", 24],
      ["bert", "2026-10-26T08:00", 24],
    ]);
  });

  it("hands over each twelve hours of real time where it says hours", () => {
    const twelve = rota({
      layers: [{ people: ["anna", "bert"], start: "2026-10-24T20:00", turn: { every: 12, unit: "hour" }, hours: [] }],
    });
    const found = shifts(twelve, utc("2026-10-24T18:00"), utc("2026-10-25T18:00"));
    expect(found.map(({ person, to, from }) => [person, (to - from) / 3_600_000])).toEqual([
      ["anna", 12],
      ["bert", 12],
    ]);
  });

  it("shows the gaps that its hours leave", () => {
    const office = rota({
      layers: [
        {
          people: ["anna"],
          start: "2026-01-05T00:00",
          turn: { every: 1, unit: "week" },
          hours: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "08:00", to: "18:00" }],
        },
      ],
    });
    const found = gaps(office, utc("2026-11-27T12:00"), utc("2026-11-30T12:00"));
    expect(found.map(({ from, to }) => [iso(from), iso(to)])).toEqual([["2026-11-27T17:00", "2026-11-30T07:00"]]);
  });

  it("asks the second layer where the first has nobody", () => {
    const two = rota({
      layers: [
        {
          people: ["anna"],
          start: "2026-01-05T00:00",
          turn: { every: 1, unit: "week" },
          hours: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "08:00", to: "18:00" }],
        },
        { people: ["bert"], start: "2026-01-05T00:00", turn: { every: 1, unit: "week" }, hours: [] },
      ],
    });
    expect(onCallAt(two, utc("2026-11-27T12:00")).person).toBe("anna");
    expect(onCallAt(two, utc("2026-11-27T20:00")).person).toBe("bert");
    expect(gaps(two, utc("2026-11-23T00:00"), utc("2026-11-30T00:00"))).toEqual([]);
  });

  it("goes by an override before all layers, the last one where two overlap, and to its end alone", () => {
    const covered = rota({
      overrides: [
        { from: "2026-01-06T00:00", to: "2026-01-08T00:00", person: "bert" },
        { from: "2026-01-07T00:00", to: "2026-01-07T12:00", person: "cleo" },
      ],
    });
    const found = shifts(covered, utc("2026-01-05T12:00"), utc("2026-01-09T12:00"));
    expect(found.map(({ person, from, by }) => [person, iso(from), by])).toEqual([
      ["anna", "2026-01-05T12:00", "layer"],
      ["bert", "2026-01-05T23:00", "override"],
      ["cleo", "2026-01-06T23:00", "override"],
      ["bert", "2026-01-07T11:00", "override"],
      ["anna", "2026-01-07T23:00", "layer"],
    ]);
  });

  it("has no hole and no overlap between its shifts", () => {
    const found = shifts(rota(), utc("2026-01-01T00:00"), utc("2027-01-01T00:00"));
    for (const [index, shift] of found.entries())
      expect(shift.from).toBe(found[index - 1]?.to ?? utc("2026-01-01T00:00"));
    expect(found.at(-1)?.to).toBe(utc("2027-01-01T00:00"));
  });
});
