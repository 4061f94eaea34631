import { newVerificationSchema } from "@lynceus/protocol/read-api-tools";
import { describe, expect, it } from "vitest";
import { setConnected } from "../src/machines.ts";
import { takeTurns, workIsUnderWay } from "../src/turns.ts";
import { createVerification, getVerification, listVerificationMachines } from "../src/verifications.ts";
import { machine, now, useDatabase } from "./fixtures.ts";

const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);

describe("turns", () => {
  const at = useDatabase();

  it("are one rate for all collectors, save no time up, and pass over who is away", async () => {
    const { db } = at;
    const ids: string[] = [];
    for (const name of ["LT-1", "LT-2", "LT-3", "LT-4", "LT-5"]) ids.push(await machine(db, name));
    expect(await workIsUnderWay(db)).toEqual({ canaries: false, turns: false });
    const input = newVerificationSchema.parse({ q: "name:LT-*" });
    const { id } = await createVerification(db, input, [], { actor: "ann", now });
    expect(await workIsUnderWay(db)).toEqual({ canaries: false, turns: true });
    // Nobody is connected yet.
    expect(await takeTurns(db, { now, perSecond: 1 })).toBe(0);
    await setConnected(db, ids.slice(0, 4), "c1");
    const both = await Promise.all([1, 2, 3].map(() => takeTurns(db, { now, perSecond: 1 })));
    expect(both.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(await takeTurns(db, { now: later(0.5), perSecond: 1 })).toBe(0);
    expect(await takeTurns(db, { now: later(3600), perSecond: 1 })).toBe(1);
    expect(await takeTurns(db, { now: later(7200), perSecond: 0.25 })).toBe(1);
    expect(await takeTurns(db, { now: later(7203.9), perSecond: 0.25 })).toBe(0);
    expect(await takeTurns(db, { now: later(7204), perSecond: 0.25 })).toBe(1);
    expect(await takeTurns(db, { now: later(9000), perSecond: 100 })).toBe(0);
    expect((await getVerification(db, id))?.counts).toMatchObject({ asked: 4, waiting: 1 });
    const { items } = await listVerificationMachines(db, id, { state: "waiting" });
    expect(items).toMatchObject([{ hostname: "LT-5", connected: false, askedAt: null }]);
  });
});
