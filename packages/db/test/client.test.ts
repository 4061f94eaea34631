import { expect, it } from "vitest";
import { useDatabase } from "./fixtures.ts";

const at = useDatabase();

it("a connection that the database ends between two statements fails the next one, and not the process", async () => {
  const client = await at.db.pool.connect();
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
  await at.db.pool.query("SELECT pg_terminate_backend($1)", [rows[0]?.pid]);
  await ended;
  const next = client.query("SELECT 1").finally(() => client.release(true));
  await expect(next).rejects.toThrow(/not queryable/);
  expect((await at.db.pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
});
