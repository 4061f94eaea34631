import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compareNatural,
  csvCell,
  formatCount,
  formatDuration,
  formatLatency,
  formatShare,
  formatTime,
  middleCut,
  middleCutHost,
  safeHost,
  safeText,
} from "../src/present.ts";

describe("hostile text", () => {
  test.each([
    ["MNL-FRONT-3", "MNL-FRONT-3"],
    ["a\u202Etxt.exe", "a⟨U+202E⟩txt.exe"],
    ["zero\u200Bwidth\uFEFF", "zero⟨U+200B⟩width⟨U+FEFF⟩"],
    ["nul\0 line\n tab\t", "nul⟨U+0000⟩ line⟨U+000A⟩ tab⟨U+0009⟩"],
    ["half\uD800", "half⟨U+D800⟩"],
    ["filler\u3164\u{E0041}", "filler⟨U+3164⟩⟨U+E0041⟩"],
    ["<b>&amp;</b>", "<b>&amp;</b>"],
    ["東京 Ωmega ñ \u{1F441}", "東京 Ωmega ñ \u{1F441}"],
  ])("%j is shown as %j", (text, shown) => {
    expect(safeText(text)).toBe(shown);
  });
  test("at most 256 characters are shown", () => {
    expect(safeText("x".repeat(256))).toBe("x".repeat(256));
    expect(safeText("x".repeat(257))).toBe(`${"x".repeat(256)}…`);
    expect(safeText("\u{1F441}".repeat(10), 2)).toBe("\u{1F441}\u{1F441}…");
  });
  test("nothing invisible is left, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((c) => String.fromCharCode(c)) }),
        (text) => {
          expect(safeText(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
          expect(safeText(text)).not.toMatch(/\p{Cs}/u);
        },
      ),
      { numRuns: 500 },
    );
  });
  test("a host that only looks like another is written in punycode", () => {
    expect(safeHost("mail.contoso.com:443")).toBe("mail.contoso.com:443");
    expect(safeHost("mail.c\u043Entoso.com")).toBe("mail.xn--cntoso-wqf.com");
    expect(safeHost("bad host\u202E")).toBe("bad host⟨U+202E⟩");
  });
  test.each([
    ["plain", "plain"],
    ["=1+1", `"'=1+1"`],
    ["+1", `"'+1"`],
    ["-1", `"'-1"`],
    ["−1", `"'−1"`],
    ["@x", `"'@x"`],
    ["\tx", `"'\tx"`],
    ['a,"b"', '"a,""b"""'],
    ["two\nlines", '"two\nlines"'],
  ])("the cell %j is written %j", (text, cell) => {
    expect(csvCell(text)).toBe(cell);
  });
});

describe("numbers", () => {
  test.each([
    [0, "0"],
    [10_163, "10,163"],
    [-5, "−5"],
    [null, "unknown"],
  ])("the count %s is %s", (count, text) => {
    expect(formatCount(count)).toBe(text);
  });
  test("are grouped as the locale does", () => {
    expect(formatCount(10_163, "de")).toBe("10.163");
  });
  test.each([
    [0, 10_000, "0.0 %"],
    [1, 10_000, "< 0.1 %"],
    [347, 351, "98.9 %"],
    [9_999, 10_000, "> 99.9 %"],
    [351, 351, "100.0 %"],
    [0, 0, "unknown"],
  ])("%i of %i is %s", (part, whole, text) => {
    expect(formatShare(part, whole)).toBe(text);
  });
  test("never reads 100.0 % unless all, nor 0.0 % unless none", () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.integer({ min: 1, max: 1e6 }), (part, more) => {
        const whole = part + more;
        expect(formatShare(part, whole)).not.toBe("100.0 %");
        expect(formatShare(part, whole) === "0.0 %").toBe(part === 0);
      }),
    );
  });
  test.each([
    [0, "0 s"],
    [400, "0 s"],
    [9_000, "9 s"],
    [59_600, "1 min"],
    [90_000, "1 min 30 s"],
    [26 * 60_000 + 13_000, "26 min"],
    [2 * 3_600_000 + 5 * 60_000 + 9_000, "2 h 5 min"],
    [3_600_000 + 20_000, "1 h"],
    [76 * 3_600_000, "3 d 4 h"],
    [365 * 86_400_000, "365 d"],
    [-90_000, "−1 min 30 s"],
    [null, "unknown"],
    [Number.NaN, "unknown"],
  ])("the duration %s is %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
  test.each([
    [0, "0 ms"],
    [0.2, "< 1 ms"],
    [6.4, "6 ms"],
    [999.4, "999 ms"],
    [999.6, "1.0 s"],
    [2_640, "2.6 s"],
    [null, "unknown"],
  ])("the latency %s is %s", (ms, text) => {
    expect(formatLatency(ms)).toBe(text);
  });
});

describe("times", () => {
  const now = Date.UTC(2026, 10, 24, 3, 14, 0);
  test.each([
    [Date.UTC(2026, 10, 24, 2, 41), "UTC", "02:41"],
    [Date.UTC(2026, 10, 24, 0, 0), "UTC", "00:00"],
    [Date.UTC(2026, 10, 23, 21, 10), "UTC", "Mon 21:10"],
    // In Manila it is 05:10 of the same day.
    [Date.UTC(2026, 10, 23, 21, 10), "Asia/Manila", "05:10"],
    [Date.UTC(2026, 10, 17, 9, 0), "UTC", "17 Nov"],
    [Date.UTC(2026, 8, 7, 9, 0), "UTC", "7 Sep"],
    [Date.UTC(2025, 10, 17, 9, 0), "UTC", "17 Nov 2025"],
    [Date.UTC(2026, 10, 30, 9, 0), "UTC", "30 Nov"],
    [null, "UTC", "unknown"],
  ])("%s in %s is %s", (at, zone, text) => {
    expect(formatTime(at, { now, zone })).toBe(text);
  });
});

describe("names", () => {
  test.each([
    ["MNL-FRONT-0123-EAST-02", 19, "MNL-FRONT…3-EAST-02"],
    ["short", 19, "short"],
    ["abcdef", 3, "a…f"],
    ["abcdef", 2, "a…"],
    ["abcdef", 1, "…"],
    ["abcdef", 0, ""],
    ["\u{1F441}\u{1F441}\u{1F441}\u{1F441}", 3, "\u{1F441}…\u{1F441}"],
  ])("%s in %i characters is %s", (text, max, cut) => {
    expect(middleCut(text, max)).toBe(cut);
  });
  test("a host is cut before its port", () => {
    expect(middleCutHost("proxy-manila-east.contoso.com:8080", 20)).toBe("proxy-m…oso.com:8080");
    expect(middleCutHost("px:8080", 20)).toBe("px:8080");
  });
  test("are never longer than asked", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), fc.nat(40), (text, max) => {
        expect([...middleCut(text, max)].length).toBeLessThanOrEqual(Math.max(max, 0));
      }),
    );
  });
  test("sort naturally", () => {
    expect(["LT-10", "lt-9", "LT-1"].sort(compareNatural)).toEqual(["LT-1", "lt-9", "LT-10"]);
  });
});
