import { closedPort } from "@lynceus/testkit/listening";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningDashboard, startDashboard } from "./support/seeded.ts";

/* The dashboard when whoever started it was killed: it goes on, and nobody reads its log. */

let dashboard: RunningDashboard;

beforeAll(async () => {
  // A database that is away gives it much to write.
  dashboard = await startDashboard(`postgresql://lynceus@127.0.0.1:${await closedPort()}/lynceus`);
});
afterAll(() => dashboard?.stop());

/** The status of an answer; null where there is none within some seconds. */
const answer = (path: string): Promise<number | null> =>
  fetch(dashboard.base + path, { redirect: "manual", signal: AbortSignal.timeout(10_000) }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.status;
    },
    () => null,
  );

test("a log that nobody reads any more stops nothing: pages that fail at the same time are answered, and so are those after", async () => {
  await expect.poll(() => answer("/login")).toBe(500);
  dashboard.leaveUnread();
  for (let turn = 0; turn < 2; turn++) await Promise.all(Array.from({ length: 8 }, () => answer("/login")));
  await expect.poll(() => answer("/login")).toBe(500);
  await expect.poll(() => answer("/api/health")).toBe(503);
});
