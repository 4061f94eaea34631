import { createHash } from "node:crypto";
import type { Database } from "@lynceus/db/client";
import { getSetting, setSetting } from "@lynceus/db/settings";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { addUser, changeUser, listUsers } from "../src/lib/users.ts";
import { isWelcome, redeemWelcome } from "../src/lib/welcome.ts";
import { testDatabase } from "./database.ts";

const now = Date.parse("2026-11-24T02:12:00Z");
const code = "one-time-code";
let db: Database;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ db, stop } = await testDatabase());
});
afterAll(() => stop());
beforeEach(async () => {
  await db.prisma.user.deleteMany();
  await setSetting(db, "welcome", {
    hash: createHash("sha256").update(code).digest("hex"),
    expiresAt: new Date(now + 60_000).toISOString(),
  });
});

const admin = (name: string) => ({ name, email: `${name}@contoso.com`, passwordHash: "salt:hash" });

test("of twenty posts with the one link at the same moment, one makes an admin", async () => {
  const results = await Promise.all(Array.from({ length: 20 }, (_, n) => redeemWelcome(db, code, admin(`a${n}`), now)));
  expect(results.filter((result) => result === "made")).toHaveLength(1);
  expect(results.filter((result) => result === "refused")).toHaveLength(19);
  expect(await listUsers(db)).toMatchObject([{ role: "admin" }]);
  expect(await db.prisma.account.count()).toBe(1);
});

test("the link works once", async () => {
  expect(await redeemWelcome(db, code, admin("first"), now)).toBe("made");
  expect(await redeemWelcome(db, code, admin("second"), now)).toBe("refused");
  expect(await isWelcome(db, code, now)).toBe(false);
});

test("a wrong code and an expired one make nobody, and a wrong one uses nothing up", async () => {
  expect(await redeemWelcome(db, "another", admin("a"), now)).toBe("refused");
  expect(await redeemWelcome(db, "", admin("a"), now)).toBe("refused");
  expect(await redeemWelcome(db, code, admin("a"), now + 60_000)).toBe("refused");
  expect(await listUsers(db)).toEqual([]);
  expect(await isWelcome(db, code, now)).toBe(true);
});

test("looking at the link uses nothing up", async () => {
  for (let n = 0; n < 3; n++) expect(await isWelcome(db, code, now)).toBe(true);
  expect(await getSetting(db, "welcome")).not.toBeNull();
});

test("an address that is taken leaves the link good", async () => {
  await addUser(db, { ...admin("taken"), role: "viewer" }, "test");
  expect(await redeemWelcome(db, code, admin("taken"), now)).toBe("taken");
  expect(await redeemWelcome(db, code, admin("other"), now)).toBe("made");
});

test("a setting that is broken lets nobody in", async () => {
  for (const value of [null, "text", { hash: "short", expiresAt: "2030-01-01T00:00:00Z" }, { hash: "0".repeat(64) }]) {
    await setSetting(db, "welcome", value);
    expect(await redeemWelcome(db, code, admin("a"), now)).toBe("refused");
  }
});

test("two admins who take each other's role at the same moment leave one admin", async () => {
  await addUser(db, { ...admin("a"), role: "admin" }, "test");
  await addUser(db, { ...admin("b"), role: "admin" }, "test");
  const users = await listUsers(db);
  const changed = await Promise.all(users.map((user) => changeUser(db, user.id, "viewer", "test")));
  expect(changed.filter(Boolean)).toHaveLength(1);
  expect((await listUsers(db)).filter((user) => user.role === "admin")).toHaveLength(1);
});
