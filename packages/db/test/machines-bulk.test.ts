import { parseFilter } from "@lynceus/protocol/filter";
import { describe, expect, it } from "vitest";
import { listAudit } from "../src/audit.ts";
import { countEach, countMachines, eachMachines, listMachines } from "../src/machines.ts";
import {
  countChosen,
  mostRetired,
  retireMachines,
  revokeMachines,
  SelectionChangedError,
  setSite,
  tagMachines,
} from "../src/machines-admin.ts";
import { listen } from "../src/notify.ts";
import { listTimeline } from "../src/timeline.ts";
import { createVerification } from "../src/verifications.ts";
import { machine, now, useDatabase } from "./fixtures.ts";

const by = { actor: "ann@example.org", now };
const chosen = (q: string) => ({ q, terms: parseFilter(q, { now: now.getTime() }).terms });

describe("an act on many machines", () => {
  const at = useDatabase();
  const add = (names: string[], site: string) => Promise.all(names.map((name) => machine(at.db, name, { site })));

  it("is of those that match when it is done, and of none when they are not as many as was said", async () => {
    const { db } = at;
    await add(["T-1", "T-2", "T-3"], "Bern");
    expect(await countChosen(db, chosen("site:Bern"))).toBe(3);
    await expect(tagMachines(db, chosen("site:Bern"), { add: ["vip"] }, by, 2)).rejects.toThrow(SelectionChangedError);
    await expect(tagMachines(db, chosen("site:Bern"), { add: ["vip"] }, by, 2)).rejects.toMatchObject({ machines: 3 });
    expect((await listMachines(db, { terms: chosen("tag:vip").terms })).total).toBe(0);
    expect(await tagMachines(db, chosen("site:Bern"), { add: ["vip", "a"], remove: ["b"] }, by, 3)).toBe(3);
    expect((await listMachines(db, { terms: chosen("tag:vip").terms })).total).toBe(3);
  });

  it("has one entry in the audit log, with what was before and after and the filter's text", async () => {
    const { db } = at;
    const [one, two] = await add(["A-1", "A-2"], "Graz");
    await setSite(db, chosen("name:A-*"), "Vienna", by, 2);
    const [entry] = (await listAudit(db, {})).items;
    expect(entry).toMatchObject({
      actor: by.actor,
      action: "machine.site",
      subject: "2 machines",
      after: { site: "Vienna", q: "name:A-*" },
    });
    expect(entry?.before).toEqual({
      Graz: expect.toSatisfy((ids: string[]) => [one, two].every((id) => ids.includes(id ?? ""))),
    });
  });

  it("refuses machines, closes their connections and says so in each timeline", async () => {
    const { db } = at;
    const ids = await add(["R-1", "R-2"], "Oslo");
    const heard: string[] = [];
    const listener = listen(db.url, (event) => heard.push(event.payload), { channels: ["lynceus_revoke"] });
    await listener.ready;
    expect(await revokeMachines(db, ids, by, 2)).toBe(2);
    await expect.poll(() => [...heard].sort()).toEqual([...ids].sort());
    await listener.close();
    expect((await listTimeline(db, ids[0] ?? "")).items[0]).toMatchObject({ kind: "revoked" });
    expect(await countChosen(db, ids)).toBe(0);
    expect((await listMachines(db, { terms: chosen("site:Oslo").terms, revoked: true })).total).toBe(2);
  });

  it("removes machines with what is stored of them, and a bounded number at once", async () => {
    const { db } = at;
    const ids = await add(["G-1", "G-2"], "Gone");
    expect(await retireMachines(db, chosen("site:Gone"), by, 2)).toBe(2);
    expect(await countMachines(db, { site: "Gone" })).toMatchObject({ healthy: 0 });
    expect((await listTimeline(db, ids[0] ?? "")).items).toEqual([]);
    expect(await db.prisma.machineState.count({ where: { machineId: { in: ids } } })).toBe(0);
    expect(mostRetired).toBeLessThan(100_000);
  });

  it("probes the machines that were named alone", async () => {
    const { db } = at;
    const [one] = await add(["P-1", "P-2"], "Perth");
    const cohort = { pattern: null, cause: null, causeId: null, q: "site:Perth", site: null };
    expect((await createVerification(db, cohort, chosen("site:Perth").terms, by, [one ?? ""])).machines).toBe(1);
    expect((await createVerification(db, cohort, chosen("site:Perth").terms, by)).machines).toBe(2);
  });

  it("reads all machines of a filter in the order asked for, some at a time", async () => {
    const { db } = at;
    await add(["E-1", "E-2", "E-10", "E-3", "E-4"], "Exeter");
    const sizes: number[] = [];
    const names: string[] = [];
    for await (const rows of eachMachines(db, { terms: chosen("site:Exeter").terms, sort: "name" }, 2)) {
      sizes.push(rows.length);
      names.push(...rows.map((row) => row.hostname));
    }
    expect(sizes).toEqual([2, 2, 1]);
    expect(names).toEqual(["E-1", "E-2", "E-3", "E-4", "E-10"]);
  });

  it("counts many filters by one look", async () => {
    const filters = ["site:Exeter", "name:E-1*", "site:Nowhere"].map((q) => chosen(q).terms);
    expect(await countEach(at.db, filters)).toEqual([5, 2, 0]);
    expect(await countEach(at.db, [])).toEqual([]);
  });
});
