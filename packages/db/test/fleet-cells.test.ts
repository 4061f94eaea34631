import type { MachineStatus } from "@lynceus/protocol/names";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agentVersions, type FleetCell, fleetCells, foldFleetCells } from "../src/fleet-cells.ts";
import { commitBatch } from "../src/ingest.ts";
import { retireMachine, revokeMachine, setSite } from "../src/machines-admin.ts";
import { type Fleet, fleetOf, machines } from "../src/scope.ts";
import { sweepStale } from "../src/sweep.ts";
import { batch, columns, machine, minutesAgo, now, update, useDatabase } from "./fixtures.ts";

const by = { actor: "ann", now };

/** The cells as a look at every machine gives them. */
const counted = (db: Fleet) =>
  db.prisma.$queryRaw<FleetCell[]>`
    SELECT m.site, m.status, m.at_risk AS "atRisk", m.primary_pattern AS pattern, count(*)::int AS machines,
      count(*) FILTER (WHERE m.simulated)::int AS simulated
    FROM ${machines(db)} m WHERE m.revoked_at IS NULL GROUP BY 1, 2, 3, 4`;
/** Agents by version, without regard to case, as a look at every machine gives them. */
const countedAgents = (db: Fleet) =>
  db.prisma.$queryRaw`
    SELECT nullif(min(m.agent_version), '') AS version, count(*)::int AS machines
    FROM ${machines(db)} m WHERE m.revoked_at IS NULL GROUP BY lower(m.agent_version) ORDER BY machines DESC, version`;
const sorted = (cells: FleetCell[]) => cells.map((cell) => JSON.stringify(cell, Object.keys(cell).sort())).sort();

describe("cells of the fleet", () => {
  const at = useDatabase();

  it("say what a look at every machine says, whatever happens to machines", async () => {
    const { db } = at;
    const ids: string[] = [];
    let seq = 1;
    const statuses: MachineStatus[] = ["healthy", "failing", "cannot-tell"];
    const site = fc.constantFrom("Bern", "Graz", null);
    const act = fc.oneof(
      fc.record({ kind: fc.constant("enrol" as const), site }),
      fc.record({
        kind: fc.constant("report" as const),
        which: fc.nat(),
        status: fc.constantFrom(...statuses),
        atRisk: fc.boolean(),
        pattern: fc.constantFrom("proxy-auth-required" as const, "clock-skew" as const, null),
        agentVersion: fc.constantFrom("0.1.0", "0.2.0-RC1", "0.2.0-rc1"),
      }),
      fc.record({ kind: fc.constant("move" as const), which: fc.nat(), site }),
      fc.record({ kind: fc.constantFrom("revoke" as const, "retire" as const), which: fc.nat() }),
      fc.record({ kind: fc.constantFrom("sweep" as const, "fold" as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 12 }), async (acts) => {
        for (const one of acts) {
          const id = "which" in one ? ids[one.which % Math.max(1, ids.length)] : undefined;
          if (one.kind === "enrol") ids.push(await machine(db, `M-${ids.length}`, { site: one.site }));
          else if (one.kind === "sweep") await sweepStale(db, { now, staleBefore: minutesAgo(-1) });
          else if (one.kind === "fold") await foldFleetCells(db);
          else if (id === undefined) continue;
          else if (one.kind === "report") {
            const { status, atRisk, pattern, agentVersion } = one;
            const next = columns({ status, atRisk, primaryPattern: pattern, agentVersion });
            const [row] = await db.prisma.$queryRaw<{ last: bigint }[]>`
              SELECT last_seq AS last FROM machine_states WHERE machine_id = ${id}::uuid`;
            if (!row) continue;
            seq = Number(row.last);
            await commitBatch(db, batch({ machines: [update(id, [seq, seq + 1], { columns: next })] }));
          } else if (one.kind === "move") await setSite(db, [id], one.site, by);
          else if (one.kind === "revoke") await revokeMachine(db, id, by);
          else if (one.kind === "retire") await retireMachine(db, id, by);
        }
        expect(sorted(await fleetCells(db))).toEqual(sorted(await counted(db)));
        const bern = fleetOf(db, { sites: ["Bern"], tags: null });
        expect(sorted(await fleetCells(bern))).toEqual(sorted(await counted(bern)));
        for (const seen of [db, bern, fleetOf(db, { sites: ["Bern"], tags: ["vip"] })])
          expect(await agentVersions(seen)).toEqual(await countedAgents(seen));
      }),
      { numRuns: 40 },
    );
    await foldFleetCells(db);
    expect(await db.prisma.fleetCellChange.count()).toBe(0);
    expect(sorted(await fleetCells(db))).toEqual(sorted(await counted(db)));
    expect(await agentVersions(db)).toEqual(await countedAgents(db));
  });

  it("of a version that nobody has any more go, and the last of a site stays for its spelling", async () => {
    const { db } = at;
    const id = await machine(db, "ONE", { site: "Ulm" });
    await foldFleetCells(db);
    for (let seq = 0; seq < 3; seq++) {
      const next = columns({ agentVersion: `9.0.${seq}` });
      const [row] = await db.prisma.$queryRaw<{ last: bigint }[]>`
        SELECT last_seq AS last FROM machine_states WHERE machine_id = ${id}::uuid`;
      const last = Number(row?.last);
      await commitBatch(db, batch({ machines: [update(id, [last, last + 1], { columns: next })] }));
      await foldFleetCells(db);
    }
    const cells = () =>
      db.prisma.fleetCell.findMany({ where: { site: "Ulm" }, select: { agent: true, machines: true } });
    expect(await cells()).toEqual([{ agent: "9.0.2", machines: 1 }]);
    await retireMachine(db, id, by);
    await foldFleetCells(db);
    expect(await cells()).toEqual([{ agent: "9.0.2", machines: 0 }]);
  });
});
