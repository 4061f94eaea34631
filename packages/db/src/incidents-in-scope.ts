import { isWholeFleet } from "@lynceus/protocol/access";
import { Prisma } from "./client.ts";
import { type FleetReader, machines } from "./scope.ts";

/** That an incident `i` has, or had, a machine that is seen. */
export const isSeen = (db: FleetReader): Prisma.Sql =>
  isWholeFleet(db.scope)
    ? Prisma.sql`TRUE`
    : Prisma.sql`EXISTS (SELECT FROM incident_members b JOIN ${machines(db)} m ON m.id = b.machine_id
        WHERE b.incident = i.number)`;
