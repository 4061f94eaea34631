import { readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createCanary } from "@lynceus/db/canaries";
import { createView } from "@lynceus/db/saved-views";
import { siteHref } from "../../src/components/machines/links.ts";
import { seedIncidents } from "../../test/support/incidents.ts";
import type { SeededDashboard } from "./seeded.ts";

const app = fileURLToPath(new URL("../../src/app", import.meta.url));

/** Every page of the dashboard, found in its files, such as `/machines/[id]`. */
export const pages: readonly string[] = readdirSync(app, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name === "page.tsx")
  .map((entry) => path.relative(app, entry.parentPath).replace(/\([^)]*\)\/?/g, ""))
  .map((route) => `/${route}`.replace(/\/$/, "") || "/")
  .sort();

/** Makes something for each page with parts of its own, and says at which address it is shown, by the page. */
export async function seedPages({ db, fleet }: SeededDashboard, machine: string): Promise<Map<string, string>> {
  const by = { actor: "ada@contoso.com", now: new Date() };
  const { main } = await seedIncidents(db);
  const { name, site } = await db.prisma.machine
    .findUniqueOrThrow({ where: { id: machine } })
    .then((row) => ({ name: row.hostname, site: row.site ?? "" }));
  const change = await db.prisma.fleetChange.findFirstOrThrow({ orderBy: { machines: "desc" } });
  const user = await db.prisma.user.findFirstOrThrow();
  const view = await createView(
    db,
    { name: "Behind px1", q: "status:failing", sort: "name", columns: [], group: null },
    by,
  );
  const canary = await createCanary(
    db,
    {
      title: `px2 for ${name.slice(0, 100)}`,
      proposal: { autoDetect: false, pac: null, server: "px2.contoso.com:8080", bypass: "" },
      q: "",
      site: null,
      probe: [],
    },
    by,
  );
  return new Map([
    ["/alerting/[kind]/[id]", "/alerting/routes/on-call"],
    ["/alerting/new/[kind]", "/alerting/new/receivers"],
    ["/alerting/versions/[version]", "/alerting/versions/1"],
    ["/canary/[id]", `/canary/${canary.id}`],
    ["/causes/[id]", `/causes/${fleet.causeId}`],
    ["/changes/[id]", `/changes/${change.id}`],
    ["/i/[number]", `/i/${main}`],
    ["/incidents/[number]", `/incidents/${main}`],
    ["/machines/[id]", `/machines/${machine}`],
    ["/machines/[id]/observed", `/machines/${machine}/observed?key=settings&at=${by.now.toISOString()}`],
    ["/machines/[id]/probes/[seq]", `/machines/${machine}/probes/10`],
    ["/machines/views/[slug]", `/machines/views/${view.slug}`],
    ["/patterns/[id]", "/patterns/proxy-auth-required"],
    ["/settings/users/[id]", `/settings/users/${user.id}`],
    ["/sites/[slug]", siteHref(site)],
    ["/targets/[version]", "/targets/1"],
    ["/welcome", "/welcome?code=none"],
  ]);
}
