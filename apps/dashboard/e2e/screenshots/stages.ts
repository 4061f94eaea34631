import { openDatabase } from "@lynceus/db/client";
import { connectClient } from "@lynceus/db/connection";
import { savePolicy } from "@lynceus/db/policies";
import { type Fleet, wholeFleet } from "@lynceus/db/scope";
import { createTestDatabase } from "@lynceus/db/testing";
import { createUser } from "@lynceus/db/users";
import { everyMachine } from "@lynceus/protocol/access";
import { buildPolicy } from "@lynceus/protocol/presets";
import { hashPassword } from "better-auth/crypto";
import { seedMany } from "../../test/support/seed.ts";
import { admin, shown } from "../support/browser.ts";
import { pages, seedPages } from "../support/pages.ts";
import { startDashboard, startSeededDashboard } from "../support/seeded.ts";
import { atAddress, openDrawn, type Picture } from "./pictures.ts";
import type { View } from "./views.ts";

/** A dashboard on a fleet, and what there is to see of it. */
export interface Stage {
  base: string;
  pictures: readonly Picture[];
  close(): Promise<void>;
}

/** "/machines/[id]/probes/[seq]" → "machine-probe": plural for the list, singular for one of it. */
const names: Readonly<Record<string, string>> = {
  "/": "overview",
  "/i/[number]": "incident-on-call",
  "/incidents/[number]": "incident",
  "/machines/[id]": "machine",
  "/machines/[id]/observed": "machine-observed",
  "/machines/[id]/probes/[seq]": "machine-probe",
};
/** Pages between two steps of signing in, and one that leads on to an incident. */
const passed = ["/login/code", "/first/password", "/first/second-factor", "/causes", "/causes/[id]"];
/** Pages of who is not signed in. */
const outside = ["/login", "/welcome"];
const nameOf = (route: string) =>
  names[route] ??
  route
    .slice(1)
    .replace(/\/\[[^\]]*\]/g, "-one")
    .replaceAll("/", "-");

/** The story of px1, every page of it and states that a page can be in. */
async function seeded(): Promise<Stage> {
  const dashboard = await startSeededDashboard();
  const machine = (name: string) => dashboard.fleet.ids.get(name) ?? "";
  const addresses = await seedPages(dashboard, machine("SIN-LT-4401"));
  const wide = ["/", "/machines", "/machines/[id]", "/incidents/[number]", "/settings", "/targets", "/patterns/[id]"];
  const views = (route: string): readonly View[] => [
    "light",
    "dark",
    "phone",
    ...(wide.includes(route) ? (["4k"] as const) : []),
    ...(route === "/i/[number]" ? (["phone-dark"] as const) : []),
  ];
  const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
  return {
    base: dashboard.base,
    close: dashboard.close,
    pictures: [
      ...pages
        .filter((route) => !passed.includes(route))
        .map((route) => ({
          ...atAddress(nameOf(route), addresses.get(route) ?? route, views(route)),
          signedIn: !outside.includes(route),
        })),
      atAddress("overview-hour-ago", `/?at=${hourAgo}`),
      atAddress("overview-site", "/?site=Singapore", ["light"]),
      atAddress("overview-bad-moment", "/?at=yesterday", ["light"]),
      atAddress("machine-healthy", `/machines/${machine("SYD-LT-4418")}`),
      atAddress("machine-stale", `/machines/${machine("KRK-LT-4401")}`),
      atAddress("machine-two-users", `/machines/${machine("SIN-VDI-2003")}`, ["light"]),
      atAddress("machines-failing", "/machines?q=status:failing"),
      atAddress("machines-grouped", "/machines?group=site"),
      atAddress("machines-bad-filter", "/machines?q=status:broken"),
      atAddress("machines-nothing", "/machines?q=site:Manila+os:macos"),
      atAddress("silences-preview", "/silences?match=site:Manila", ["light"]),
      atAddress("not-found", "/nothing-here"),
      {
        name: "not-live",
        show: async (page, base) => {
          await page.route("**/api/live", (route) => route.abort());
          await page.goto(base);
          await shown(page, /^Not live/).waitFor();
          await page.unroute("**/api/live");
        },
      },
      loading(dashboard.db),
      {
        name: "go-to",
        views: ["light", "dark"],
        show: async (page, base) => {
          await openDrawn(page, base);
          await page.keyboard.press("Control+k");
          await page.getByPlaceholder("Page, machine, incident or pattern").fill("sin");
          await page.locator("[data-action]").filter({ hasText: "SIN-LT-4401" }).waitFor();
        },
      },
    ],
  };
}

/** A page that waits for its database: another one holds what it reads. */
function loading(db: Fleet): Picture {
  let release = async () => {};
  return {
    name: "loading",
    show: async (page, base) => {
      const holder = await db.pool.connect();
      await holder.query("BEGIN; LOCK TABLE fleet_changes IN ACCESS EXCLUSIVE MODE");
      release = async () => {
        await holder.query("ROLLBACK");
        holder.release();
      };
      await page.goto(`${base}/changes`, { waitUntil: "commit" });
      await page.getByRole("region", { name: "Loading" }).waitFor();
      // Its lines come after 300 ms, when an answer is late.
      await page.waitForFunction(() => document.getAnimations().length === 0);
    },
    after: () => release(),
  };
}

/** A dashboard with its admin and what `fill` puts there. */
async function plain(fill: (db: Fleet) => Promise<void>, pictures: (url: string) => Picture[]): Promise<Stage> {
  const database = await createTestDatabase();
  const db = wholeFleet(openDatabase({ url: database.url }));
  await fill(db);
  const { name, email, password } = admin;
  const access = { role: "admin" as const, ...everyMachine };
  await createUser(db, { name, email, access, passwordHash: await hashPassword(password) }, "screenshots");
  const { base, stop } = await startDashboard(database.url);
  return {
    base,
    pictures: pictures(database.url),
    close: async () => {
      await stop();
      await db.close();
      await database.drop();
    },
  };
}

const withPolicy = async (db: Fleet) => {
  const body = buildPolicy({ ews: ["mail.contoso.com"], smtpDomains: ["contoso.com"], sipDomains: ["contoso.com"] }, 1);
  await savePolicy(db, { body, now: new Date(), createdBy: "ada@contoso.com" });
};

/** Before the first machine: what each page of the navigation says then, and when its database is away. */
const empty = () =>
  plain(withPolicy, (url) => [
    ...pages
      .filter((route) => !/\[|login|first|welcome|setup|no-right|settings\/.+|alerting\/.+/.test(route))
      .map((route) => atAddress(`empty-${nameOf(route)}`, route)),
    {
      name: "error",
      show: async (page, base) => {
        await connections(url, false);
        await page.goto(`${base}/incidents`);
        await shown(page, "This page could not be read.").waitFor();
      },
      after: () => connections(url, true),
    },
  ]);

/** Lets a database's connections in, or cuts them and lets none in. */
async function connections(url: string, open: boolean): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const client = await connectClient(process.env.LYNCEUS_TEST_DATABASE_URL ?? "");
  try {
    await client.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS ${open}`);
    if (!open) await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [name]);
  } finally {
    await client.end();
  }
}

const sizes = (count: number, prefix: string) => () =>
  plain(
    async (db) => {
      await withPolicy(db);
      await seedMany(db, count);
    },
    () => [
      atAddress(`${prefix}-overview`, "/"),
      atAddress(`${prefix}-machines`, "/machines"),
      atAddress(`${prefix}-machines-grouped`, "/machines?group=site", ["light"]),
      atAddress(`${prefix}-sites`, "/sites", ["light"]),
    ],
  );

/** Every stage, by name. */
export const stages: Readonly<Record<string, () => Promise<Stage>>> = {
  seeded,
  empty,
  three: sizes(3, "three"),
  many: sizes(20_000, "many"),
};
