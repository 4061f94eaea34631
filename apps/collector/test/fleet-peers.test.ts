import { randomUUID } from "node:crypto";
import { type Database, openDatabase } from "@lynceus/db/client";
import { createTestDatabase } from "@lynceus/db/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createFleet } from "../src/fleet.ts";

const now = Date.UTC(2026, 10, 22, 12);
let test: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;
beforeAll(async () => {
  test = await createTestDatabase();
  db = openDatabase({ url: test.url });
  const machine = (simulated: boolean, verdictConfigured: string) => ({
    id: randomUUID(),
    hostname: "M",
    publicKey: Buffer.from(randomUUID()),
    simulated,
    lastSeenAt: new Date(now),
    status: "healthy",
    location: "inside",
    route: "px1.example.org:8080",
    verdictConfigured,
    site: "Graz",
  });
  await db.prisma.machine.createMany({
    data: [...Array.from({ length: 4 }, () => machine(true, "exchange-onprem")), machine(false, "tcp-timeout")],
  });
});
afterAll(async () => {
  await db.close();
  await test.drop();
});

it("judges a real machine beside real ones, and a simulated one beside simulated ones", async () => {
  const fleet = createFleet(db);
  await fleet.refresh(now);
  const peer = { site: "Graz", location: "inside" } as const;
  expect(fleet.context({ ...peer, simulated: false }).site.okThroughProxy).toBe(0);
  expect(fleet.context({ ...peer, simulated: true }).site.okThroughProxy).toBe(4);
});
