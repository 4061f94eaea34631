import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createToken, enrolMachine, listTokens, redeemToken, revokeToken } from "../src/enrollment.ts";
import { findIdentity, setCloned } from "../src/identity.ts";
import { listMachines } from "../src/machines.ts";
import { approveMachines, revokeMachine } from "../src/machines-admin.ts";
import { emptyState, minutesAgo, now, useDatabase } from "./fixtures.ts";

const later = new Date("2026-12-01T00:00:00Z");
const by = { actor: "ann", now };

describe("enrolment", () => {
  const at = useDatabase();
  const input = (secret: string, over: object = {}) => ({
    secret,
    now,
    publicKey: randomBytes(44) as Uint8Array,
    hostname: "LT-1",
    os: "linux",
    agentVersion: "0.1.0",
    simulated: false,
    state: emptyState(),
    ...over,
  });

  it("gives exactly as many uses as a token has, to however many ask at once", async () => {
    const { secret } = await createToken(at.db, { maxUses: 5, expiresAt: later, createdBy: "ann" });
    const answers = await Promise.all(Array.from({ length: 20 }, () => redeemToken(at.db, secret, now)));
    expect(answers.filter((answer) => answer.ok)).toHaveLength(5);
    expect(answers.filter((answer) => !answer.ok && answer.reason === "token-used-up")).toHaveLength(15);
    expect((await listTokens(at.db))[0]).toMatchObject({ uses: 5, maxUses: 5 });
  });

  it("keeps the secret nowhere", async () => {
    const { id, secret } = await createToken(at.db, { maxUses: 1, expiresAt: later, createdBy: "ann" });
    const row = await at.db.prisma.enrollmentToken.findUnique({ where: { id } });
    expect(JSON.stringify(row)).not.toContain(secret);
    expect(JSON.stringify(await listTokens(at.db))).not.toContain(row?.hash);
  });

  it("says why a token is refused", async () => {
    const { db } = at;
    expect(await redeemToken(db, "unknown", now)).toEqual({ ok: false, reason: "bad-token" });
    const expired = await createToken(db, { maxUses: 1, expiresAt: minutesAgo(1), createdBy: "ann" });
    expect(await redeemToken(db, expired.secret, now)).toEqual({ ok: false, reason: "token-expired" });
    const revoked = await createToken(db, { maxUses: 1, expiresAt: later, createdBy: "ann" });
    expect(await revokeToken(db, revoked.id, by)).toBe(true);
    expect(await revokeToken(db, revoked.id, by)).toBe(false);
    expect(await redeemToken(db, revoked.secret, now)).toEqual({ ok: false, reason: "bad-token" });
  });

  it("gives the same machine to a key that asks again, and takes no second use", async () => {
    const { secret } = await createToken(at.db, {
      maxUses: 1,
      expiresAt: later,
      createdBy: "ann",
      site: "Manila",
      tags: ["pilot"],
    });
    const request = input(secret);
    const answers = await Promise.all([1, 2, 3, 4].map(() => enrolMachine(at.db, request)));
    expect(new Set(answers.map((answer) => answer.ok && answer.machineId)).size).toBe(1);
    expect(answers.filter((answer) => answer.ok && answer.created)).toHaveLength(1);
    const { items } = await listMachines(at.db, { site: "Manila" });
    expect(items).toMatchObject([{ hostname: "LT-1", tags: ["pilot"], status: "cannot-tell", approved: true }]);
    expect(await enrolMachine(at.db, input(secret))).toEqual({ ok: false, reason: "token-used-up" });
  });

  it("lets a machine wait for approval where the token asks for it", async () => {
    const { secret } = await createToken(at.db, {
      maxUses: 1,
      expiresAt: later,
      createdBy: "ann",
      needsApproval: true,
    });
    const made = await enrolMachine(at.db, input(secret));
    expect(made).toMatchObject({ ok: true, approved: false });
    const id = made.ok ? made.machineId : "";
    expect(await approveMachines(at.db, [id], by)).toBe(1);
    expect((await findIdentity(at.db, id))?.approved).toBe(true);
  });

  it("keeps a revoked key out for ever", async () => {
    const { secret } = await createToken(at.db, { maxUses: 2, expiresAt: later, createdBy: "ann" });
    const request = input(secret);
    const made = await enrolMachine(at.db, request);
    await revokeMachine(at.db, made.ok ? made.machineId : "", by);
    expect(await enrolMachine(at.db, request)).toEqual({ ok: false, reason: "revoked" });
  });

  it("holds what a hello is checked against", async () => {
    const { secret } = await createToken(at.db, { maxUses: 1, expiresAt: later, createdBy: "ann" });
    const request = input(secret);
    const made = await enrolMachine(at.db, request);
    const id = made.ok ? made.machineId : "";
    await setCloned(at.db, id, now);
    const identity = await findIdentity(at.db, id);
    expect(identity).toMatchObject({
      machineId: id,
      approved: true,
      revokedAt: null,
      clonedAt: now,
      epoch: null,
      lastSeq: 0,
    });
    expect(Buffer.from(identity?.publicKey ?? []).equals(Buffer.from(request.publicKey))).toBe(true);
    expect(await findIdentity(at.db, "nonsense")).toBeNull();
  });
});
