import { buildPolicy } from "@lynceus/protocol/presets";
import type { Rollout } from "@lynceus/protocol/rollout";
import { describe, expect, it } from "vitest";
import { policyHistory } from "../src/history.ts";
import { changeRollout, currentPolicy, PolicyConflictError, savePolicy, stagedPolicy } from "../src/policies.ts";
import { policyOfMachine, rolloutMachines, rolloutProgress, trialMachines } from "../src/policy-rollout.ts";
import { notePolicyVersions } from "../src/traits.ts";
import { machine, minutesAgo, now, useDatabase } from "./fixtures.ts";

const body = buildPolicy({ ews: ["mail.contoso.com"], smtpDomains: ["contoso.com"], sipDomains: [] }, 0);
const nobody: Rollout = { percent: 0, sites: [], tags: [], machines: [] };
const share = (percent: number): Rollout => ({ ...nobody, percent });

describe("a policy that is rolled out in part", () => {
  const at = useDatabase();
  const save = (rollout?: Rollout) => savePolicy(at.db, { body, now, createdBy: "ann", ...(rollout && { rollout }) });
  const change = (version: number, to: Rollout | "whole" | "stop") =>
    changeRollout(at.db, { version, to, actor: "ann", now });

  it("grows with its share, and chooses others for the next version", async () => {
    await Promise.all(Array.from({ length: 200 }, (_, i) => machine(at.db, `LT-${i}`)));
    const taking = async (version: number, percent: number) =>
      new Set(await rolloutMachines(at.db, { version, rollout: share(percent) }));
    const [ten, thirty, all] = [await taking(7, 10), await taking(7, 30), await taking(7, 100)];
    expect((await taking(7, 0)).size).toBe(0);
    expect(ten.size).toBeGreaterThan(0);
    expect(ten.size).toBeLessThan(100);
    expect([...ten].filter((id) => !thirty.has(id))).toEqual([]);
    expect(all.size).toBe(200);
    expect(await taking(8, 10)).not.toEqual(ten);
  });

  it("is in force for its machines alone, until it is everybody's", async () => {
    const [tried, other] = [await machine(at.db, "TRY-1"), await machine(at.db, "TRY-2")];
    const first = await save();
    const second = await save({ ...nobody, machines: [tried] });
    expect((await currentPolicy(at.db))?.version).toBe(first.version);
    expect((await policyOfMachine(at.db, tried))?.version).toBe(second.version);
    expect((await policyOfMachine(at.db, other))?.version).toBe(first.version);
    // History is judged by what the whole fleet had.
    expect((await policyHistory(at.db)).map(({ policy }) => policy.version)).toEqual([first.version]);

    await notePolicyVersions(at.db, [{ machineId: tried, version: second.version }], minutesAgo(0));
    const staged = { version: second.version, rollout: { ...nobody, machines: [tried] } };
    expect(await rolloutProgress(at.db, staged)).toMatchObject({ chosen: 1 });
    expect((await trialMachines(at.db, staged)).map(({ hostname }) => hostname)).toEqual(["TRY-1"]);

    await expect(save()).rejects.toThrow(PolicyConflictError);
    await expect(save(share(5))).rejects.toThrow(/rolled out in part; give it to the whole fleet or stop it first/);
    await change(second.version, "whole");
    expect((await currentPolicy(at.db))?.version).toBe(second.version);
    await expect(change(second.version, share(50))).rejects.toThrow(/not rolled out in part any more/);
  });

  it("leaves what was in force when it is stopped, and its number is not given again", async () => {
    const before = (await currentPolicy(at.db))?.version ?? 0;
    const staged = await save(share(20));
    await change(staged.version, "stop");
    expect(await stagedPolicy(at.db)).toBeNull();
    expect((await currentPolicy(at.db))?.version).toBe(before);
    expect((await save()).version).toBe(staged.version + 1);
    const entries = await at.db.prisma.auditEntry.findMany({ where: { subject: String(staged.version) } });
    expect(entries.map(({ action }) => action).sort()).toEqual(["policy.save", "policy.stop"]);
  });
});
