import { expect, it } from "vitest";
import { gatherer } from "../src/gather.ts";

it("looks up together what is asked together, each id once, and what is absent is null", async () => {
  const asked: string[][] = [];
  const { find } = gatherer(async (ids) => {
    asked.push(ids);
    return new Map(ids.filter((id) => id !== "x").map((id) => [id, id.toUpperCase()]));
  }, 2);
  expect(await Promise.all(["a", "a", "b", "x"].map(find))).toEqual(["A", "A", "B", null]);
  expect(asked).toEqual([["a"], ["b", "x"]]);
});

it("lets a failed look-up fail for those who waited for it alone", async () => {
  let fails = true;
  const { find } = gatherer<string>(async (ids) => {
    if (fails) throw new Error("away");
    return new Map(ids.map((id) => [id, id]));
  });
  await expect(find("a")).rejects.toThrow("away");
  fails = false;
  expect(await find("a")).toBe("a");
});
