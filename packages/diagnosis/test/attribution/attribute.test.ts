import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attribute } from "../../src/attribution/attribute.ts";
import { createAttributionIndex } from "../../src/attribution/attribution-index.ts";
import {
  type Attribution,
  type ChangeEvent,
  none,
  type Subject,
  type SubjectValues,
} from "../../src/attribution/types.ts";
import { start } from "../support/machine.ts";

const minute = 60_000;

let counter = 0;
/** So many machines, alike. */
const machines = (
  count: number,
  failing: boolean | null,
  values: SubjectValues,
  over: Partial<Subject> = {},
): Subject[] =>
  Array.from({ length: count }, () => ({
    id: `m${String(++counter).padStart(5, "0")}`,
    location: "inside" as const,
    failing,
    failingSince: failing ? start : null,
    values,
    ...over,
  }));

/** The attribution of the only location. */
function only(subjects: readonly Subject[], changes: readonly ChangeEvent[] = []): Attribution {
  const all = attribute(subjects, changes, start);
  expect(all).toHaveLength(1);
  return all[0]!;
}
const named = ({ causes }: Attribution) => causes.map(({ key, value }) => `${key} ${value}`);

describe("one cause", () => {
  it("is the proxy that the failing machines share and the healthy ones do not, with the machines that do not fit", () => {
    const result = only([
      ...machines(347, true, { proxy: "px1:8080", site: "Bern" }),
      ...machines(4, true, { proxy: "px2:8080", site: "Bern" }),
      ...machines(2, false, { proxy: "px1:8080", site: "Bern" }),
      ...machines(9810, false, { proxy: "px2:8080", site: "Bern" }),
    ]);
    expect(named(result)).toEqual(["proxy px1:8080"]);
    expect(result).toMatchObject({ failing: 351, healthy: 9812, noCause: null });
    expect(result.causes[0]).toMatchObject({
      explains: 347,
      of: 351,
      adds: 347,
      failingWithout: 4,
      healthyWith: 2,
      confidence: "high",
      firstSeen: start,
    });
    expect(result.unexplained).toHaveLength(4);
    expect(result.causes[0]?.failingOthers).toEqual(result.unexplained);
    expect(result.causes[0]?.healthyMembers).toHaveLength(2);
  });

  it("is found among four machines that fail and twelve that do not", () => {
    const result = only([
      ...machines(4, true, { proxy: "px1:8080", "os-build": "windows 10" }),
      ...machines(12, false, { proxy: "px2:8080", "os-build": "windows 10" }),
    ]);
    expect(named(result)).toEqual(["proxy px1:8080"]);
    // One in 1,820: sure enough to name, not sure enough to call it high.
    expect(result.causes[0]?.confidence).toBe("medium");
  });

  it("is not named on three machines beside four: chance explains that", () => {
    const result = only([...machines(3, true, { proxy: "px1:8080" }), ...machines(4, false, { proxy: "px2:8080" })]);
    expect(result).toMatchObject({ causes: [], noCause: "nothing-separates" });
    expect(result.candidates[0]).toMatchObject({ key: "proxy", value: "px1:8080", failingWith: 3, healthyWith: 0 });
  });

  it("is not named where most of those with the value are healthy, however significant", () => {
    const result = only([
      ...machines(300, true, { "os-build": "windows 10" }),
      ...machines(50, true, { "os-build": "windows 11" }),
      ...machines(500, false, { "os-build": "windows 10" }),
      ...machines(5000, false, { "os-build": "windows 11" }),
    ]);
    expect(result).toMatchObject({ causes: [], noCause: "nothing-separates" });
    expect(result.candidates[0]?.logP).toBeLessThan(-100);
  });

  it("counts a machine whose value is not known on neither side", () => {
    const result = only([
      ...machines(10, true, { "back-end": "EX03" }),
      ...machines(5, true, { "back-end": null }),
      ...machines(5, true, {}),
      ...machines(90, false, { "back-end": "EX01" }),
      ...machines(7, false, { "back-end": null }),
    ]);
    expect(result.causes[0]).toMatchObject({
      key: "back-end",
      explains: 10,
      of: 20,
      failingWithout: 0,
      failingUnknown: 10,
      healthyWithout: 90,
      healthyUnknown: 7,
      failingOthers: [],
    });
    expect(result.unexplained).toHaveLength(10);
  });

  it("is not a value that only the failing machines were asked for", () => {
    const result = only([...machines(30, true, { "tls-issuer": "Zscaler" }), ...machines(300, false, {})]);
    expect(result).toMatchObject({ causes: [], noCause: "nothing-separates" });
  });

  it("leaves out machines of which it cannot tell", () => {
    const result = only([
      ...machines(10, true, { proxy: "px1:8080" }),
      ...machines(50, null, { proxy: "px1:8080" }),
      ...machines(50, false, { proxy: "px2:8080" }),
    ]);
    expect(result).toMatchObject({ failing: 10, healthy: 50, undecided: 50 });
    expect(result.causes[0]).toMatchObject({ explains: 10, healthyWith: 0 });
  });
});

describe("without a control group", () => {
  it("no cause is named, and what the machines share is listed by share alone", () => {
    const result = only([...machines(90, true, { proxy: "px1:8080" }), ...machines(10, true, { proxy: "px2:8080" })]);
    expect(result).toMatchObject({ causes: [], noCause: "no-control-group" });
    expect(result.candidates).toMatchObject([{ key: "proxy", value: "px1:8080", failingWith: 90, logP: 0 }]);
    expect(result.unexplained).toHaveLength(100);
  });

  it("of another location none is borrowed", () => {
    const all = attribute(
      [
        ...machines(20, true, { proxy: "px1:8080" }),
        ...machines(500, false, { proxy: none }, { location: "outside" }),
        ...machines(5, true, { proxy: none }, { location: "outside" }),
      ],
      [],
      start,
    );
    expect(all.map(({ location, noCause }) => [location, noCause])).toEqual([
      ["inside", "no-control-group"],
      ["outside", "nothing-separates"],
    ]);
  });

  it("two failing machines are too few, and none gives no attribution", () => {
    expect(only([...machines(2, true, { site: "Bern" }), ...machines(90, false, { site: "Genf" })]).noCause).toBe(
      "too-few",
    );
    expect(attribute(machines(9, false, { site: "Bern" }), [], start)).toEqual([]);
  });
});

describe("the more specific of equal explanations", () => {
  it("is the proxy, where a proxy is a whole site; the site is named beside it, and the confidence is not high", () => {
    const result = only([
      ...machines(40, true, { proxy: "px-bern:8080", site: "Bern", subnet: "10.1.0.0/24" }),
      ...machines(400, false, { proxy: "px1:8080", site: "Zürich", subnet: "10.2.0.0/24" }),
    ]);
    expect(named(result)).toEqual(["proxy px-bern:8080"]);
    expect(result.causes[0]).toMatchObject({
      confidence: "medium",
      also: [
        { key: "subnet", value: "10.1.0.0/24" },
        { key: "site", value: "Bern" },
      ],
    });
  });

  it("is the site where its other machines fail too: then the two are not equal", () => {
    const result = only([
      ...machines(90, true, { proxy: "px-bern:8080", site: "Bern" }),
      ...machines(10, true, { proxy: none, site: "Bern" }),
      ...machines(300, false, { proxy: none, site: "Zürich" }),
      ...machines(300, false, { proxy: "px1:8080", site: "Zürich" }),
    ]);
    expect(named(result)).toEqual(["site Bern"]);
    expect(result.causes[0]?.also).toEqual([]);
  });

  it("is still the proxy when a machine of the site fails by itself", () => {
    const result = only([
      ...machines(90, true, { proxy: "px-bern:8080", site: "Bern" }),
      ...machines(1, true, { proxy: none, site: "Bern" }),
      ...machines(9, true, { proxy: none, site: "Zürich" }),
      ...machines(200, false, { proxy: none, site: "Zürich" }),
    ]);
    expect(named(result)).toEqual(["proxy px-bern:8080"]);
  });

  it("is the cause nested in a site, not the site", () => {
    const result = only([
      ...machines(30, true, { proxy: "px-lab:8080", site: "Bern" }),
      ...machines(70, false, { proxy: none, site: "Bern" }),
      ...machines(900, false, { proxy: none, site: "Zürich" }),
    ]);
    expect(named(result)).toEqual(["proxy px-lab:8080"]);
    expect(result.causes[0]).toMatchObject({ confidence: "high", also: [] });
  });

  it("prefers the kind of route to the missing proxy, which says the same with less", () => {
    const result = only([
      ...machines(30, true, { proxy: none, "route-kind": "direct" }),
      ...machines(300, false, { proxy: "px1:8080", "route-kind": "proxy" }),
    ]);
    expect(named(result)).toEqual(["route-kind direct"]);
  });
});

describe("several causes at once", () => {
  it("are separated, the stronger first, and an overlap is counted once", () => {
    const result = only([
      ...machines(60, true, { proxy: "px1:8080", site: "Zürich" }),
      ...machines(20, true, { proxy: "px1:8080", site: "Bern" }),
      ...machines(30, true, { proxy: none, site: "Bern" }),
      ...machines(3, true, { proxy: none, site: "Genf" }),
      ...machines(300, false, { proxy: none, site: "Zürich" }),
      ...machines(300, false, { proxy: none, site: "Genf" }),
    ]);
    expect(named(result)).toEqual(["proxy px1:8080", "site Bern"]);
    expect(result.causes.map(({ explains, adds }) => [explains, adds])).toEqual([
      [80, 80],
      [50, 30],
    ]);
    expect(result.unexplained).toHaveLength(3);
  });

  it("are all found where little of the fleet is left healthy", () => {
    const result = only([
      ...machines(80, true, { proxy: "px1:8080" }),
      ...machines(80, true, { proxy: "px2:8080" }),
      ...machines(80, true, { proxy: "px3:8080" }),
      ...machines(40, false, { proxy: "px4:8080" }),
    ]);
    expect(named(result).sort()).toEqual(["proxy px1:8080", "proxy px2:8080", "proxy px3:8080"]);
  });
});

describe("the failing machines of one incident", () => {
  it("are judged without the others that fail", () => {
    const px1 = machines(30, true, { proxy: "px1:8080", site: "Bern" });
    const px2 = machines(50, true, { proxy: "px2:8080", site: "Genf" });
    const index = createAttributionIndex([...px1, ...px2, ...machines(300, false, { proxy: none, site: "Genf" })]);
    const cohort = new Set(px1.map(({ id }) => id));
    const result = index.attribute("inside", { changes: [], now: start, cohort });
    expect(named(result)).toEqual(["proxy px1:8080"]);
    expect(result).toMatchObject({ failing: 30, healthy: 300 });
    expect(result.causes[0]?.members).toEqual([...cohort].sort());
  });
});

describe("when it began", () => {
  const fleet = (since: readonly number[]) => [
    ...since.flatMap((failingSince) => machines(1, true, { proxy: "px1:8080" }, { failingSince })),
    ...machines(200, false, { proxy: none }),
  ];
  it("is the first failure", () => {
    const since = Array.from({ length: 12 }, (_, index) => start - index * minute);
    expect(only(fleet(since)).causes[0]?.firstSeen).toBe(start - 11 * minute);
  });
  it("is not the week-old failure of one machine in twenty", () => {
    const since = [start - 7 * 86_400_000, ...Array.from({ length: 19 }, (_, index) => start - index * minute)];
    expect(only(fleet(since)).causes[0]?.firstSeen).toBe(start - 18 * minute);
  });
  it("is not known where no machine's time is", () => {
    const result = only([
      ...machines(20, true, { proxy: "px1:8080" }, { failingSince: null }),
      ...machines(200, false, { proxy: none }),
    ]);
    expect(result.causes[0]).toMatchObject({ firstSeen: null, change: null });
  });
});

describe("the change that preceded it", () => {
  const failing = machines(40, true, { "pac-hash": "41ab07" });
  const healthy = machines(200, false, { "pac-hash": "9f3c1e" });
  const ids = (list: readonly Subject[]) => list.map(({ id }) => id);
  const change = (over: Partial<ChangeEvent>): ChangeEvent => ({
    at: start - 2 * minute,
    changeKey: "a",
    text: "Script content 9f3c1e → 41ab07",
    key: null,
    value: null,
    machines: [],
    ...over,
  });
  const preceding = (...changes: Partial<ChangeEvent>[]) =>
    only([...failing, ...healthy], changes.map(change)).causes[0]?.change ?? null;

  it("is the one that set the cause's value", () => {
    expect(preceding({ key: "pac-hash", value: "41ab07", machines: ids(failing) })).toEqual({
      at: start - 2 * minute,
      changeKey: "a",
      text: "Script content 9f3c1e → 41ab07",
      by: "value",
      seenOn: 40,
    });
    expect(preceding({ key: "pac-hash", value: "77aa77" })).toBeNull();
  });

  it("is the one that most of its machines saw and few healthy ones", () => {
    expect(preceding({ machines: ids(failing.slice(0, 30)) })).toMatchObject({ by: "machines", seenOn: 30 });
    expect(preceding({ machines: ids(failing.slice(0, 19)) })).toBeNull();
    expect(preceding({ machines: ids([...failing, ...healthy]) })).toBeNull();
  });

  it("is the nearest before the first failure, not one after it nor one of another day", () => {
    const own = { machines: ids(failing) };
    expect(
      preceding(
        { ...own, changeKey: "early", at: start - 90 * minute },
        { ...own, changeKey: "near", at: start - 3 * minute },
        { ...own, changeKey: "late", at: start + 6 * minute },
      ),
    ).toMatchObject({ changeKey: "near" });
    expect(preceding({ ...own, at: start - 25 * 60 * minute })).toBeNull();
  });

  it("may be seen up to five minutes late, as settings are read that often", () => {
    expect(preceding({ machines: ids(failing), at: start + 5 * minute })).toMatchObject({ changeKey: "a" });
    expect(preceding({ machines: ids(failing), at: start + 5 * minute + 1 })).toBeNull();
  });
});

const site = fc.constantFrom("Bern", "Genf", "Zürich");
const proxy = fc.constantFrom("px1:8080", "px2:8080", none, null);
const anySubjects = fc
  .array(
    fc.record({
      failing: fc.constantFrom(true, true, false, null),
      location: fc.constantFrom("inside" as const, "outside" as const),
      values: fc.record({ proxy, site, subnet: fc.constantFrom("10.1.0.0/24", "10.2.0.0/24", null) }),
    }),
    { maxLength: 120 },
  )
  .map((list): Subject[] =>
    list.map((one, index) => ({ id: `s${index}`, failingSince: one.failing ? start - index * minute : null, ...one })),
  );

describe("any fleet", () => {
  it("is judged the same in whatever order its machines came, and however they were changed before", () => {
    fc.assert(
      fc.property(
        anySubjects.chain((list) =>
          fc.tuple(
            fc.constant(list),
            fc.shuffledSubarray(list, { minLength: list.length }),
            fc.array(fc.nat(), { maxLength: 30 }),
          ),
        ),
        ([list, shuffled, touched]) => {
          const index = createAttributionIndex();
          // Every machine was something else before, and some were forgotten and came again.
          for (const [at, subject] of list.entries())
            index.set({
              ...subject,
              failing: at % 2 === 0,
              location: "vpn",
              values: { site: `old ${at}`, proxy: "px9:1" },
            });
          for (const at of touched) index.delete(`s${at}`);
          for (const subject of shuffled) index.set(subject);
          expect(attribute(index, [], start)).toEqual(attribute(list, [], start));
        },
      ),
      { numRuns: 100 },
    );
  });

  it("adds up: every failing machine is explained or listed, none twice, and the four fields and the unknown are all", () => {
    fc.assert(
      fc.property(anySubjects, (list) => {
        for (const result of attribute(list, [], start)) {
          const members = new Set(result.causes.flatMap((cause) => cause.members));
          expect(members.size + result.unexplained.length).toBe(result.failing);
          for (const id of result.unexplained) expect(members.has(id)).toBe(false);
          expect(result.causes.reduce((sum, { adds }) => sum + adds, 0)).toBe(members.size);
          for (const one of [...result.causes, ...result.candidates]) {
            expect(one.failingWith + one.failingWithout + one.failingUnknown).toBeLessThanOrEqual(result.failing);
            expect(one.healthyWith + one.healthyWithout + one.healthyUnknown).toBe(result.healthy);
          }
        }
      }),
    );
  });

  it("has no cause without a healthy machine at the same location", () => {
    fc.assert(
      fc.property(anySubjects, (list) => {
        const sick = list.map((subject) => ({
          ...subject,
          failing: subject.failing === false ? null : subject.failing,
        }));
        for (const result of attribute(sick, [], start)) expect(result.causes).toEqual([]);
      }),
    );
  });

  it("is judged as before at one location, whatever comes to another", () => {
    fc.assert(
      fc.property(anySubjects, anySubjects, (list, others) => {
        const here = list.map((subject) => ({ ...subject, location: "inside" as const }));
        const there = others.map((subject) => ({ ...subject, id: `x${subject.id}`, location: "outside" as const }));
        const inside = (subjects: Subject[]) =>
          attribute(subjects, [], start).filter(({ location }) => location === "inside");
        expect(inside([...here, ...there])).toEqual(inside(here));
      }),
    );
  });

  it("names the same causes when a healthy machine comes of which nothing is known", () => {
    fc.assert(
      fc.property(anySubjects, (list) => {
        const here = list.map((subject) => ({ ...subject, location: "inside" as const }));
        const told = (subjects: Subject[]) =>
          attribute(subjects, [], start).map(({ causes, unexplained }) => [
            causes.map(({ key, value, members }) => [key, value, members]),
            unexplained,
          ]);
        expect(told([...here, ...machines(1, false, {})])).toEqual(told(here));
      }),
    );
  });

  it("gives no value more weight because a healthy machine came that has it", () => {
    fc.assert(
      fc.property(anySubjects, site, proxy, (list, ofSite, ofProxy) => {
        const here = list.map((subject) => ({ ...subject, location: "inside" as const }));
        const first = (subjects: Subject[]) =>
          new Map(attribute(subjects, [], start).flatMap(({ candidates }) => candidates.map((one) => [one.key, one])));
        const values = { site: ofSite, proxy: ofProxy };
        const before = first(here);
        const after = first([...here, { id: "new", location: "inside", failing: false, failingSince: null, values }]);
        for (const key of ["site", "proxy"] as const) {
          const now = after.get(key);
          // A healthy machine that has the value speaks against it.
          if (now?.value === values[key]) {
            const was = before.get(key);
            if (was?.value === now.value) expect(now.logP).toBeGreaterThanOrEqual(was.logP - 1e-9);
          }
        }
      }),
    );
  });

  it("names no machine that a cause explains twice as not fitting, nor a healthy one as a member", () => {
    fc.assert(
      fc.property(anySubjects, (list) => {
        const failing = new Set(list.filter((subject) => subject.failing).map(({ id }) => id));
        for (const { causes } of attribute(list, [], start))
          for (const { members, healthyMembers, failingOthers } of causes) {
            for (const id of [...members, ...failingOthers]) expect(failing.has(id)).toBe(true);
            for (const id of healthyMembers) expect(failing.has(id)).toBe(false);
          }
      }),
    );
  });
});
