import { createHash } from "node:crypto";
import type { Fleet } from "@lynceus/db/scope";
import { getSetting, setSetting } from "@lynceus/db/settings";
import { createUser, listUsers, setAccess } from "@lynceus/db/users";
import { everyMachine, type Role } from "@lynceus/protocol/access";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { isWelcome, redeemWelcome } from "../src/lib/welcome.ts";
import { testDatabase } from "./database.ts";

const now = Date.parse("2026-11-24T02:12:00Z");
const code = "one-time-code";
let db: Fleet;
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

const whole = (role: Role) => ({ role, ...everyMachine });
const admin = (name: string) => ({ name, email: `${name}@contoso.com`, passwordHash: "salt:hash" });

test("of twenty posts with the one link at the same moment, one makes an admin", async () => {
  const results = await Promise.all(Array.from({ length: 20 }, (_, n) => redeemWelcome(db, code, admin(`a${n}`), now)));
  expect(results.filter((result) => result === "made")).toHaveLength(1);
  expect(results.filter((result) => result === "refused")).toHaveLength(19);
  expect(await listUsers(db)).toMatchObject([{ access: { role: "admin", ...everyMachine } }]);
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
  await createUser(db, { ...admin("taken"), access: whole("viewer") }, "test");
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
  await createUser(db, { ...admin("a"), access: whole("admin") }, "test");
  await createUser(db, { ...admin("b"), access: whole("admin") }, "test");
  const users = await listUsers(db);
  const changed = await Promise.all(users.map((user) => setAccess(db, user.id, whole("viewer"), "test")));
  expect(changed.toSorted()).toEqual(["done", "last-admin"]);
  expect((await listUsers(db)).filter((user) => user.access.role === "admin")).toHaveLength(1);
});
