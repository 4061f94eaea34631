import { expect, test } from "vitest";
import { isTransient, sqlState } from "../src/sql-error.ts";

const system = (code: string) => Object.assign(new Error(`write ${code}`), { code });
const prisma = (code: string) =>
  Object.assign(new Error("Raw query failed."), {
    code: "P2010",
    meta: { driverAdapterError: { cause: { originalCode: code } } },
  });

test.each([
  [system("EPIPE"), null, true],
  [system("ECONNREFUSED"), null, true],
  [system("EPERM"), null, false],
  [new Error("Connection terminated unexpectedly"), null, true],
  [Object.assign(new Error("the database system is starting up"), { code: "57P03" }), "57P03", true],
  [prisma("40P01"), "40P01", true],
  [prisma("23505"), "23505", false],
  [Object.assign(new Error("could not write"), { code: "XX000" }), "XX000", false],
])("%s: %s, may succeed later: %s", (error, state, transient) => {
  expect([sqlState(error), isTransient(error)]).toEqual([state, transient]);
});
