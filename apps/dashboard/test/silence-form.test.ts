import { describe, expect, test } from "vitest";
import { momentText } from "../src/components/moment.ts";
import { readSilence, type SilenceValues } from "../src/lib/silence-input.ts";

const now = Date.parse("2026-11-24T01:41:00Z");
const clock = { now, zone: "Europe/Zurich" };
const values: SilenceValues = { match: "site:Manila", begins: "", lasts: "2", until: "", comment: "px1 is replaced" };

describe("a new silence", () => {
  test("begins now and ends after its hours", () => {
    expect(readSilence(values, clock)).toEqual({
      silence: { match: "site:Manila", comment: "px1 is replaced", endsAt: "2026-11-24T03:41:00.000Z" },
      errors: {},
    });
  });

  test("takes times of the viewer's own clock, also over a change to summer time", () => {
    const { silence } = readSilence(
      { ...values, begins: "2027-03-28T01:30", lasts: "until", until: "2027-03-28T03:30" },
      clock,
    );
    expect(silence).toMatchObject({ startsAt: "2027-03-28T00:30:00.000Z", endsAt: "2027-03-28T01:30:00.000Z" });
  });

  test.each<[Partial<SilenceValues>, keyof SilenceValues, RegExp]>([
    [{ match: "" }, "match", /every machine.*site:Manila.*name:\*/],
    [{ match: "since>2h" }, "match", /"since" cannot be used here/],
    [{ match: "status:on-fire" }, "match", /on-fire/],
    [{ begins: "tomorrow" }, "begins", /"tomorrow" is no date with a time.*2026-12-01T09:00/],
    [{ lasts: "99" }, "lasts", /"99" is not offered/],
    [{ lasts: "until" }, "until", /2026-12-01T09:00/],
    [{ lasts: "until", until: "2026-11-24T01:00" }, "until", /over before it begins/],
    [{ begins: "2026-11-20T01:00" }, "begins", /over before it begins/],
    [{ begins: "2026-12-02T09:00", lasts: "until", until: "2026-12-01T09:00" }, "until", /over before it begins/],
    [{ comment: "x".repeat(501) }, "comment", /500/],
  ])("%j is refused beside its field, with the rule and an example", (change, field, message) => {
    const { silence, errors } = readSilence({ ...values, ...change }, clock);
    expect(silence).toBeNull();
    expect(Object.keys(errors)).toEqual([field]);
    expect(errors[field]).toMatch(message);
  });
});

test("a moment has its time of day, whatever its day", () => {
  const text = (at: string) => momentText(Date.parse(at), clock);
  expect(text("2026-11-24T13:30:00Z")).toBe("14:30");
  expect(text("2026-11-23T13:30:00Z")).toBe("Mon 14:30");
  expect(text("2026-11-28T13:30:00Z")).toBe("Sat 14:30");
  expect(text("2026-12-05T13:30:00Z")).toBe("5 Dec 14:30");
  expect(text("2027-01-05T13:30:00Z")).toBe("5 Jan 2027 14:30");
});
