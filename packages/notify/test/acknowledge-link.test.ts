import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { acknowledgeUrl, makeAcknowledgeToken, verifyAcknowledgeToken } from "../src/acknowledge-link.ts";
import { newSecretKey, parseKeyRing } from "../src/key-ring.ts";
import { sealSecret } from "../src/sealed-secret.ts";

const key = newSecretKey();
const ring = parseKeyRing(key);
const now = Date.UTC(2026, 10, 24, 2, 41, 30);
const claim = { incident: 1182, person: "m-huber", expiresAt: now + 3_600_000 };
const page = { incident: 1182, now };

describe("the link of a page", () => {
  test("is short, of the dashboard, and holds who, what and until when", () => {
    const url = new URL(acknowledgeUrl("https://lynceus.contoso.com/", ring, claim));
    expect(url.origin + url.pathname).toBe("https://lynceus.contoso.com/i/1182");
    expect(url.href.length).toBeLessThan(200);
    expect(verifyAcknowledgeToken(ring, url.searchParams.get("k") ?? "", page)).toEqual({ ok: true, claim });
  });

  test("ends at its time", () => {
    const token = makeAcknowledgeToken(ring, claim);
    const at = (instant: number) => verifyAcknowledgeToken(ring, token, { ...page, now: instant });
    expect(at(claim.expiresAt - 1)).toMatchObject({ ok: true });
    expect(at(claim.expiresAt)).toEqual({ ok: false, reason: "expired" });
  });

  test("is of one incident", () => {
    const token = makeAcknowledgeToken(ring, claim);
    expect(verifyAcknowledgeToken(ring, token, { incident: 1183, now })).toEqual({
      ok: false,
      reason: "other-incident",
    });
  });

  test("of an older key holds until that key is dropped", () => {
    const token = makeAcknowledgeToken(ring, claim);
    const newer = newSecretKey();
    expect(verifyAcknowledgeToken(parseKeyRing(`${newer},${key}`), token, page)).toMatchObject({ ok: true });
    expect(verifyAcknowledgeToken(parseKeyRing(newer), token, page)).toEqual({ ok: false, reason: "wrong" });
  });

  test("is wrong when anything of it was changed", () => {
    const token = makeAcknowledgeToken(ring, claim);
    for (let index = 0; index < token.length; index++) {
      const changed = `${token.slice(0, index)}${token[index] === "A" ? "B" : "A"}${token.slice(index + 1)}`;
      expect(verifyAcknowledgeToken(ring, changed, page), `at ${index}`).toEqual({ ok: false, reason: "wrong" });
    }
  });

  test("is wrong when it says of itself that it is somebody else's", () => {
    const [, signature] = makeAcknowledgeToken(ring, claim).split(".");
    const forged = Buffer.from(JSON.stringify({ i: 1182, p: "mallory", e: 9_999_999_999 })).toString("base64url");
    expect(verifyAcknowledgeToken(ring, `${forged}.${signature}`, page)).toEqual({ ok: false, reason: "wrong" });
  });

  test.each(["", ".", "a.b", "a.b.c", `${"x".repeat(600)}.y`, "ä.ö", sealSecret(ring, "x", "y")])(
    "is not %j",
    (text) => {
      expect(verifyAcknowledgeToken(ring, text, page)).toEqual({ ok: false, reason: "wrong" });
    },
  );

  test("is no text that somebody made up", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(verifyAcknowledgeToken(ring, text, page)).toEqual({ ok: false, reason: "wrong" });
      }),
    );
  });

  test.each([{ incident: 0 }, { incident: 1.5 }, { person: "" }, { person: "x".repeat(200) }])(
    "is not made of %j",
    (wrong) => {
      expect(() => makeAcknowledgeToken(ring, { ...claim, ...wrong })).toThrow();
    },
  );
});
