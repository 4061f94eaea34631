import { describe, expect, test } from "vitest";
import { outcomeOfAnswer, outcomeOfError, parseRetryAfter } from "../src/outcome.ts";

const now = Date.UTC(2026, 10, 24, 2, 41, 30);
const answer = (status: number, more: object = {}) =>
  outcomeOfAnswer({ status, retryAfter: undefined, location: undefined, body: "", ...more }, now);

describe("an HTTP answer", () => {
  test.each([200, 201, 202, 204])("%i is delivered", (status) => {
    expect(answer(status)).toEqual({ outcome: "delivered", detail: `HTTP ${status}` });
  });
  test.each([408, 425, 429, 500, 502, 503, 504, 599])("%i is worth another try", (status) => {
    expect(answer(status)).toEqual({ outcome: "retry", afterMs: null, reason: `HTTP ${status}` });
  });
  test.each([400, 401, 403, 404, 410, 413, 422, 600, 0])("%i would be the same again", (status) => {
    expect(answer(status)).toEqual({ outcome: "rejected", reason: `HTTP ${status}` });
  });
  test.each([301, 302, 303, 307, 308])("%i is not followed, and says where it leads", (status) => {
    expect(answer(status, { location: "https://elsewhere.example/" })).toEqual({
      outcome: "rejected",
      reason: `HTTP ${status}: redirects to https://elsewhere.example/; set the final address`,
    });
  });
  test("keeps the other side's words on one line, cut", () => {
    expect(answer(400, { body: `no\r\n  such\tfield ${"x".repeat(500)}` })).toMatchObject({
      reason: expect.stringMatching(/^HTTP 400: no such field x{186}$/),
    });
  });
  test("keeps the time that it names", () => {
    expect(answer(429, { retryAfter: "120" })).toMatchObject({ outcome: "retry", afterMs: 120_000 });
    expect(answer(503, { retryAfter: "Tue, 24 Nov 2026 02:42:00 GMT" })).toMatchObject({ afterMs: 30_000 });
  });
});

describe("a Retry-After header", () => {
  test.each([
    [undefined, null],
    ["", null],
    ["0", 0],
    [" 5 ", 5_000],
    ["-5", null],
    ["1.5", null],
    ["soon", null],
    ["NaN", null],
    ["1e9", null],
    ["99999999999999", null],
    // A day would be a lost page.
    ["86400", 3_600_000],
    ["Tue, 24 Nov 2026 02:41:00 GMT", 0],
    ["Nonsense, 99 Xyz 2026", null],
  ])("%j waits %s ms", (header, ms) => {
    expect(parseRetryAfter(header, now)).toBe(ms);
  });
});

describe("an error on the way", () => {
  const error = (code: string, message = "connect failed") => Object.assign(new Error(message), { code });
  test.each(["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "CERT_HAS_EXPIRED", "EPIPE"])(
    "%s is worth another try",
    (code) => {
      expect(outcomeOfError(error(code))).toEqual({
        outcome: "retry",
        afterMs: null,
        reason: `connect failed (${code})`,
      });
    },
  );
  test.each(["EFENCED", "ERR_INVALID_URL", "ERR_INVALID_CHAR"])("%s would be the same again", (code) => {
    expect(outcomeOfError(error(code))).toMatchObject({ outcome: "rejected" });
  });
  test("of several addresses is the first one's", () => {
    const all = new AggregateError([error("ECONNREFUSED", "connect ECONNREFUSED 10.0.0.1:443"), error("ETIMEDOUT")]);
    expect(outcomeOfError(all)).toMatchObject({ reason: "connect ECONNREFUSED 10.0.0.1:443" });
  });
  test("that is no error is one", () => {
    expect(outcomeOfError("boom")).toEqual({ outcome: "retry", afterMs: null, reason: "unknown error" });
  });
});
