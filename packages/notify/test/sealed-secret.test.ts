import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newSecretKey, parseKeyRing } from "../src/key-ring.ts";
import {
  isSealedByCurrent,
  openSecret,
  receiverSecretPlace,
  SealedSecretError,
  sealSecret,
} from "../src/sealed-secret.ts";

const old = newSecretKey();
const current = newSecretKey();
const ring = parseKeyRing(current);
const place = receiverSecretPlace("on-call", "url");
const text = "https://hooks.slack.com/services/T0/B0/hunter2";

describe("the key ring", () => {
  test("reads keys in base64, base64url and hex, the current one first", () => {
    const bytes = randomBytes(32);
    const forms = [bytes.toString("base64"), bytes.toString("base64url"), bytes.toString("hex")];
    const ids = forms.map((form) => parseKeyRing(form)[0].id);
    expect(new Set(ids).size).toBe(1);
    expect(parseKeyRing(`${current},${old}`).map(({ id }) => id)).toEqual([
      parseKeyRing(current)[0].id,
      parseKeyRing(old)[0].id,
    ]);
    expect(parseKeyRing(` ${current}\n${old}\n`)).toHaveLength(2);
  });
  test.each([
    ["", /is empty; use e\.g\. the output of: openssl rand -base64 32/],
    [" \n", /is empty/],
    ["hunter2hunter2hunter2", /key 1 of LYNCEUS_SECRET_KEY has 21 characters and is not 32 bytes/],
    [`${newSecretKey()},hunter2`, /key 2/],
    [`${newSecretKey()}hunter2`, /key 1/],
  ])("refuses %j without repeating it", (keys, message) => {
    expect(() => parseKeyRing(keys)).toThrow(message);
    expect(() => parseKeyRing(keys)).not.toThrow(/hunter2/);
  });
});

describe("a sealed secret", () => {
  test("opens at its place to what it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (secret) => {
        expect(openSecret(ring, place, sealSecret(ring, place, secret))).toBe(secret);
      }),
    );
  });

  test("holds nothing of its text, and is never the same twice", () => {
    const sealed = sealSecret(ring, place, text);
    expect(sealed).toMatch(/^s1\.[0-9a-f]{8}\.[A-Za-z0-9_-]+$/);
    expect(Buffer.from(sealed.split(".")[2] ?? "", "base64url").toString("latin1")).not.toContain("hunter2");
    expect(sealSecret(ring, place, text)).not.toBe(sealed);
  });

  test.each([receiverSecretPlace("on-call", "token"), receiverSecretPlace("other", "url"), "", `${place} `])(
    "does not open at %j",
    (other) => {
      expect(() => openSecret(ring, other, sealSecret(ring, place, text))).toThrow(SealedSecretError);
    },
  );

  test("does not open when any of its bytes was changed", () => {
    const sealed = sealSecret(ring, place, text);
    const [form = "", id = "", encoded = ""] = sealed.split(".");
    const bytes = Buffer.from(encoded, "base64url");
    for (let index = 0; index < bytes.length; index++) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(() => openSecret(ring, place, [form, id, changed.toString("base64url")].join(".")), `${index}`).toThrow(
        /was changed/,
      );
    }
  });

  test.each(["", "s1", "s1.00000000.AAAA", "s2.00000000.", text, `s1.${"0".repeat(8)}.${"A".repeat(37)}`])(
    "is not %j",
    (sealed) => {
      expect(() => openSecret(ring, place, sealed)).toThrow(/not in its sealed form/);
    },
  );

  test("of an older key opens with the new one in front, and is known to be old", () => {
    const sealed = sealSecret(parseKeyRing(old), place, text);
    const both = parseKeyRing(`${current},${old}`);
    expect(openSecret(both, place, sealed)).toBe(text);
    expect(isSealedByCurrent(both, sealed)).toBe(false);
    const again = sealSecret(both, place, openSecret(both, place, sealed));
    expect(isSealedByCurrent(both, again)).toBe(true);
    expect(openSecret(ring, place, again)).toBe(text);
  });

  test("of a key that is gone says which, and what to do", () => {
    const [{ id }] = parseKeyRing(old);
    expect(() => openSecret(ring, place, sealSecret(parseKeyRing(old), place, text))).toThrow(
      `the secret of receiver/on-call/url was sealed with key ${id}, which LYNCEUS_SECRET_KEY does not hold; add that key behind the current one, or set the secret again`,
    );
  });
});
