import fc from "fast-check";
import { expect, it } from "vitest";
import { hourEntry, hoursOf, timingsSchema } from "../src/timings.ts";

const from = 1_790_000_000_000;

it("an hour is told by the middle one of its good answers, and by its failures where there was none", () => {
  const probe = (ms: number, ok = true) => ({ ms, ok });
  expect(hourEntry([])).toBeNull();
  expect(hourEntry([probe(40), probe(9_000), probe(30)])).toBe(40);
  expect(hourEntry([probe(30), probe(40)])).toBe(30);
  expect(hourEntry([probe(5_000, false), probe(31.4)])).toBe(31);
  expect(hourEntry([probe(5_000, false), probe(4_000, false)])).toBe(-4_000);
  expect(hourEntry([probe(0, false)])).toBe(-1);
  expect(hourEntry([probe(0)])).toBe(0);
});

it("hours come back as they were, those without a probe left out", () => {
  const entry = fc.option(fc.record({ ms: fc.nat(600_000), ok: fc.boolean() }));
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 24 }), (hours) => {
      const probes = { "c1:ews:direct": hours.map((hour) => hourEntry(hour === null ? [] : [hour])) };
      const timings = timingsSchema.parse({ from, hours: 24, probes });
      expect(hoursOf(timings, "c1:ews:direct")).toEqual(
        hours.flatMap((hour, i) => {
          if (hour === null) return [];
          return [{ at: from + i * 3_600_000 + 1_800_000, ms: hour.ok ? hour.ms : Math.max(1, hour.ms), ok: hour.ok }];
        }),
      );
    }),
  );
});

it("of a probe that is not there nothing comes back", () => {
  expect(hoursOf({ from, hours: 1, probes: { a: [1] } }, "constructor")).toEqual([]);
});
