import { createHash } from "node:crypto";
import { buildPolicy } from "@lynceus/protocol/presets";
import { describe, expect, it } from "vitest";
import { createApiToken, listApiTokens, revokeApiToken, verifyApiToken } from "../src/api-tokens.ts";
import { listAudit } from "../src/audit.ts";
import { inSnapshot } from "../src/client.ts";
import {
  createCommand,
  expireCommands,
  getCommand,
  latestCommand,
  takeCommands,
  updateCommand,
} from "../src/commands.ts";
import { findIdentities, findLost, noteSeen } from "../src/identity.ts";
import { getMachine } from "../src/machines.ts";
import { revokeMachine } from "../src/machines-admin.ts";
import { channels, listen, type NotifyEvent } from "../src/notify.ts";
import { currentPolicy, listPolicies, savePolicy } from "../src/policies.ts";
import { getSetting, initSetting, setSetting, takeSetting } from "../src/settings.ts";
import { listSiteSubnets, listSites, saveSiteSubnets, siteFinder, subnetOverlaps } from "../src/sites.ts";
import { createWelcome } from "../src/welcome.ts";
import { machine, minutesAgo, now, useDatabase } from "./fixtures.ts";

const by = { actor: "ann", now };

describe("policies", () => {
  const at = useDatabase();

  it("are numbered one after the other, also when several are saved at once", async () => {
    expect(await currentPolicy(at.db)).toBeNull();
    const body = buildPolicy({ ews: ["mail.contoso.com"], smtpDomains: ["contoso.com"], sipDomains: [] }, 99);
    await Promise.all(
      [1, 2, 3].map((n) => savePolicy(at.db, { body, now: new Date(), createdBy: "ann", note: `n${n}` })),
    );
    const current = await currentPolicy(at.db);
    expect(current).toMatchObject({ version: 3, body: { version: 3 } });
    expect((await listPolicies(at.db)).map((row) => row.version)).toEqual([3, 2, 1]);
  });
});

describe("commands", () => {
  const at = useDatabase();

  it("are asked once however often they are clicked, given out once, and end once", async () => {
    const { db } = at;
    const id = await machine(db, "LT-1");
    const made = await Promise.all([1, 2, 3].map(() => createCommand(db, { machineId: id, createdBy: "ann", now })));
    expect(new Set(made.map((row) => row?.id)).size).toBe(1);
    const taken = await Promise.all([takeCommands(db, [id], now), takeCommands(db, [id], now)]);
    expect(taken.flat()).toMatchObject([{ machineId: id, state: "sent", command: "check-now" }]);
    const commandId = made[0]?.id ?? "";
    expect(await updateCommand(db, commandId, { machineId: commandId, state: "done", now })).toBe(false);
    expect(await updateCommand(db, commandId, { machineId: id, state: "progress", done: 3, total: 14, now })).toBe(
      true,
    );
    expect(await updateCommand(db, commandId, { state: "done", done: 14, now })).toBe(true);
    expect(await updateCommand(db, commandId, { state: "progress", done: 4, now })).toBe(false);
    expect(await getCommand(db, commandId)).toMatchObject({ state: "done", done: 14, total: 14 });
    const next = await createCommand(db, { machineId: id, createdBy: "ann", now });
    expect(next?.id).not.toBe(commandId);
  });

  it("expire when nobody answers, and are refused for a machine that is gone", async () => {
    const { db } = at;
    const id = await machine(db, "LT-2");
    const made = await createCommand(db, { machineId: id, createdBy: "ann", now: minutesAgo(10) });
    expect(await expireCommands(db, minutesAgo(5), now)).toBe(1);
    expect(await latestCommand(db, id)).toMatchObject({ id: made?.id, state: "expired" });
    await revokeMachine(db, id, by);
    expect(await createCommand(db, { machineId: id, createdBy: "ann", now })).toBeNull();
    expect(await createCommand(db, { machineId: "x", createdBy: "ann", now })).toBeNull();
  });
});

describe("API tokens", () => {
  const at = useDatabase();

  it("are known by their secret until they expire or are revoked", async () => {
    const { db } = at;
    const { id, secret } = await createApiToken(db, { label: "grafana", scopes: ["read"], createdBy: "ann" });
    expect(await verifyApiToken(db, secret, now)).toMatchObject({ id, scopes: ["read"] });
    expect((await listApiTokens(db))[0]?.lastUsedAt).toEqual(now);
    expect(await verifyApiToken(db, `${secret}x`, now)).toBeNull();
    const old = await createApiToken(db, { label: "old", scopes: [], expiresAt: minutesAgo(1), createdBy: "ann" });
    expect(await verifyApiToken(db, old.secret, now)).toBeNull();
    await revokeApiToken(db, id, by);
    expect(await verifyApiToken(db, secret, now)).toBeNull();
    expect((await listAudit(db, { subject: id })).items.map((row) => row.action)).toEqual([
      "api-token.revoke",
      "api-token.create",
    ]);
  });
});

describe("settings and sites", () => {
  const at = useDatabase();

  it("give a one-time value to one of many", async () => {
    const { db } = at;
    await setSetting(db, "welcome", { hash: "x" });
    expect(await initSetting(db, "welcome", { hash: "y" })).toEqual({ hash: "x" });
    const answers = await Promise.all([1, 2, 3, 4].map(() => takeSetting(db, "welcome")));
    expect(answers.filter((answer) => answer !== null)).toEqual([{ hash: "x" }]);
    expect(await getSetting(db, "welcome")).toBeNull();
    expect(await initSetting(db, "welcome", { hash: "z" })).toEqual({ hash: "z" });
  });

  it("map addresses to the site of the longest prefix", async () => {
    const { db } = at;
    const subnets = [
      { cidr: "10.0.0.0/8", site: "Anywhere" },
      { cidr: "10.40.0.0/16", site: "Manila" },
      { cidr: "fd00:40::/32", site: "Oslo" },
    ];
    await saveSiteSubnets(db, subnets, by);
    expect(await listSiteSubnets(db)).toHaveLength(3);
    const siteOf = siteFinder(await listSiteSubnets(db));
    expect(siteOf(["192.168.1.2", "10.40.8.21"])).toBe("Manila");
    expect(siteOf(["10.41.0.1"])).toBe("Anywhere");
    expect(siteOf(["fd00:40::1"])).toBe("Oslo");
    expect(siteOf(["nonsense", "192.168.1.2"])).toBeNull();
    await expect(saveSiteSubnets(db, [{ cidr: "10.0.0.0", site: "x" }], by)).rejects.toThrow(
      'subnet "10.0.0.0" is not in CIDR form; use e.g. 10.40.0.0/16',
    );
    await machine(db, "LT-1", { site: "Manila" });
    expect(await listSites(db)).toEqual(["Manila"]);
  });

  it("are not replaced by who read another map", async () => {
    const { db } = at;
    const [first, second] = [
      { cidr: "10.40.0.0/16", site: "Manila" },
      { cidr: "10.41.0.0/16", site: "Perth" },
    ];
    await saveSiteSubnets(db, [first], by, await listSiteSubnets(db));
    await expect(saveSiteSubnets(db, [second], by, [])).rejects.toThrow("changed by somebody else");
    await expect(saveSiteSubnets(db, [second], by, [{ ...first, site: "Oslo" }])).rejects.toThrow("read it again");
    await saveSiteSubnets(db, [second, first], by, [first]);
    expect(await listSiteSubnets(db)).toEqual([first, second]);
  });

  it("that lie within one of another site are told with the narrowest around them, in both families", () => {
    const subnets = [
      { cidr: "10.0.0.0/8", site: "Anywhere" },
      { cidr: "10.40.0.0/16", site: "Manila" },
      { cidr: "10.40.8.0/24", site: "Manila lab" },
      { cidr: "10.40.9.0/24", site: "Manila" },
      { cidr: "11.0.0.0/8", site: "Perth" },
      { cidr: "fd00:40::/32", site: "Oslo" },
      { cidr: "fd00:40:0:1::/64", site: "Bergen" },
      { cidr: "::/128", site: "Nowhere" },
    ];
    expect(subnetOverlaps(subnets).map(({ inner, outer }) => [inner.cidr, outer.cidr])).toEqual([
      ["10.40.0.0/16", "10.0.0.0/8"],
      ["10.40.8.0/24", "10.40.0.0/16"],
      ["fd00:40:0:1::/64", "fd00:40::/32"],
    ]);
  });
});

describe("notifications", () => {
  const at = useDatabase();

  it("reach a listener, and make it read again after a broken connection", async () => {
    const { db } = at;
    const heard: NotifyEvent[] = [];
    let wake = () => {};
    const errors: Error[] = [];
    const listener = listen(
      db.url,
      (event) => {
        heard.push(event);
        wake();
      },
      { onError: (error) => errors.push(error) },
    );
    const until = async (found: () => boolean) => {
      while (!found())
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    };
    await listener.ready;
    const id = await machine(db, "LT-1");
    await revokeMachine(db, id, by);
    await until(() => heard.some((event) => event.channel === "lynceus_revoke"));
    expect(heard).toContainEqual({ channel: "lynceus_revoke", payload: id });
    expect(heard).toContainEqual({ channel: "lynceus", payload: "" });
    heard.length = 0;
    await db.prisma.$executeRaw`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND datname = current_database()`;
    await until(() => heard.length === channels.length);
    expect(errors).not.toEqual([]);
    expect(new Set(heard.map((event) => event.channel))).toEqual(new Set(channels));
    await savePolicy(db, {
      body: buildPolicy({ ews: ["m.example.org"], smtpDomains: [], sipDomains: [] }, 1),
      now: new Date(),
      createdBy: "ann",
    });
    await until(() => heard.some((event) => event.payload === "1"));
    expect(heard).toContainEqual({ channel: "lynceus_policy", payload: "1" });
    await listener.close();
  });
});

describe("a snapshot", () => {
  const at = useDatabase();

  it("sees one moment and writes nothing", async () => {
    await inSnapshot(at.db, async (reader) => {
      expect(await getSetting(reader, "x")).toBeNull();
      await setSetting(at.db, "x", 1);
      expect(await getSetting(reader, "x")).toBeNull();
    });
    await expect(inSnapshot(at.db, (reader) => setSetting(reader, "x", 2))).rejects.toThrow(/read-only/);
    expect(await getSetting(at.db, "x")).toBe(1);
  });
});

describe("the one-time link", () => {
  const at = useDatabase();

  it("is made anew until somebody can log in, and stored as a hash that ends", async () => {
    const first = await createWelcome(at.db, now);
    const second = await createWelcome(at.db, now);
    expect(second).not.toBe(first);
    expect(second).toMatch(/^[\w-]{32}$/);
    expect(await getSetting(at.db, "welcome")).toEqual({
      hash: createHash("sha256")
        .update(second ?? "")
        .digest("hex"),
      expiresAt: new Date(now.getTime() + 86_400_000).toISOString(),
    });
    await at.db.prisma.user.create({ data: { id: "u1", name: "Ann", email: "ann@example.org" } });
    expect(await createWelcome(at.db, now)).toBeNull();
  });
});

describe("identities", () => {
  const at = useDatabase();

  it("are found together; what is revoked or gone is told", async () => {
    const { db } = at;
    const [kept, gone] = [await machine(db, "A"), await machine(db, "B")];
    const nobody = "99999999-9999-4999-8999-999999999999";
    await revokeMachine(db, gone, by);
    const found = await findIdentities(db, [kept, gone, nobody, "nonsense"]);
    expect([...found.keys()].sort()).toEqual([kept, gone].sort());
    expect(found.get(kept)).toMatchObject({ hostname: "A", lastSeq: 1, revokedAt: null });
    expect(found.get(gone)?.revokedAt).toEqual(now);
    expect((await findLost(db, [kept, gone, nobody])).sort()).toEqual([gone, nobody].sort());
  });

  it("are seen later, never earlier", async () => {
    const { db } = at;
    const id = await machine(db, "C");
    const later = new Date(now.getTime() + 60_000);
    await noteSeen(db, [id], later);
    await noteSeen(db, [id], minutesAgo(30));
    expect((await getMachine(db, id))?.lastSeenAt).toBe(later.toISOString());
  });
});
