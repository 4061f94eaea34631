import { describe, expect, it } from "vitest";
import { listAudit } from "../src/audit.ts";
import { changeView, createView, deleteView, getView, listViews, slugOf } from "../src/saved-views.ts";
import { now, useDatabase } from "./fixtures.ts";

const by = { actor: "ann@example.org", now };
const view = {
  name: "Behind px1",
  q: "route:px1.contoso.com",
  sort: "-since",
  columns: ["site", "route"],
  group: null,
};

describe("views of a team", () => {
  const at = useDatabase();

  it("are kept, found by their address, changed and removed, each with its entry in the audit log", async () => {
    const { db } = at;
    const made = await createView(db, view, by);
    expect(made).toEqual({ ...view, slug: "behind-px1", createdBy: by.actor, updatedAt: now.toISOString() });
    expect(await getView(db, "behind-px1")).toEqual(made);
    expect(await listViews(db)).toEqual([made]);
    expect(await changeView(db, "behind-px1", { ...view, name: "Behind px1, all", group: "site" }, by)).toMatchObject({
      slug: "behind-px1",
      name: "Behind px1, all",
      group: "site",
    });
    expect(await deleteView(db, "behind-px1", by)).toBe(true);
    expect(await deleteView(db, "behind-px1", by)).toBe(false);
    expect(await changeView(db, "behind-px1", view, by)).toBeNull();
    expect((await listAudit(db, { subject: "behind-px1" })).items.map((entry) => entry.action)).toEqual([
      "view.delete",
      "view.change",
      "view.create",
    ]);
  });

  it("have an address of their own", async () => {
    await createView(at.db, { ...view, name: "Büro Zürich" }, by);
    await expect(createView(at.db, { ...view, name: "buro  zurich!" }, by)).rejects.toThrow(
      'a view "buro-zurich" is there already',
    );
    expect(["Kraków", "  ", "東京", "a/../b"].map(slugOf)).toEqual(["krakow", "view", "東京", "a-b"]);
  });
});
