import { everyMachine, isWholeFleet, type Scope } from "@lynceus/protocol/access";
import { type Database, Prisma, type Reader } from "./client.ts";

/*
 * The one place where a part of the fleet becomes SQL. Whatever reads or changes machines takes a `FleetReader` or a
 * `Fleet` first, so that a forgotten scope is a type error, and names the table by `machines(db)`; a test finds who does not.
 */

/** A reader that sees a part of the fleet, or all of it. */
export interface FleetReader extends Reader {
  readonly scope: Scope;
}

/** A database of which a part of the fleet is seen and changed. */
export interface Fleet extends Database {
  readonly scope: Scope;
}

/** The database as somebody may see it. An `Access` is a scope as well. */
export const fleetOf = (db: Database, { sites, tags }: Scope): Fleet => ({ ...db, scope: { sites, tags } });

/** All machines: for the installation's own work, and for tests. Nothing that a person or a token asks for goes through it. */
export const wholeFleet = (db: Database): Fleet => fleetOf(db, everyMachine);

/** The table `machines` as far as it is seen, for FROM and JOIN: `FROM ${machines(db)} m`. PostgreSQL merges it into the query. */
export function machines({ scope }: FleetReader): Prisma.Sql {
  return isWholeFleet(scope) ? Prisma.sql`machines` : Prisma.sql`(SELECT * FROM machines WHERE ${condition(scope)})`;
}

function condition({ sites, tags }: Scope): Prisma.Sql {
  const atSite = Prisma.sql`site = ANY (${[...(sites ?? [])]}::text[])`;
  const tagged = Prisma.sql`tags && ${[...(tags ?? [])]}::text[]`;
  // One condition alone can use its index.
  if (!tags?.length) return atSite;
  return sites?.length ? Prisma.sql`(${atSite} OR ${tagged})` : tagged;
}

/** That a column holds the id of a machine that is seen; for tables that only name machines. Gone machines are seen with the whole fleet. */
export function ofMachines(db: FleetReader, column: Prisma.Sql): Prisma.Sql {
  return isWholeFleet(db.scope)
    ? Prisma.sql`TRUE`
    : Prisma.sql`EXISTS (SELECT FROM ${machines(db)} seen WHERE seen.id = ${column})`;
}

/** Whether the machine of this id is seen; with the whole fleet a gone one is as well. */
export async function seesMachine(db: FleetReader, id: string): Promise<boolean> {
  if (isWholeFleet(db.scope)) return true;
  const rows = await db.prisma.$queryRaw<unknown[]>`SELECT 1 AS seen FROM ${machines(db)} m WHERE m.id = ${id}::uuid`;
  return rows.length > 0;
}

/**
 * That what was made for a part of the fleet (columns `scope_sites`, `scope_tags`, `scoped` of `alias`) lies within what is
 * seen: such as a canary, whose figures are of its own part.
 */
export function madeWithin({ scope }: FleetReader, alias: Prisma.Sql): Prisma.Sql {
  if (isWholeFleet(scope)) return Prisma.sql`TRUE`;
  return Prisma.sql`(${alias}.scoped AND ${alias}.scope_sites <@ ${[...(scope.sites ?? [])]}::text[]
    AND ${alias}.scope_tags <@ ${[...(scope.tags ?? [])]}::text[])`;
}

/** A scope as its three columns hold it. */
export interface ScopeColumns {
  scoped: boolean;
  scopeSites: string[];
  scopeTags: string[];
}

export const toScopeColumns = (scope: Scope): ScopeColumns => ({
  scoped: !isWholeFleet(scope),
  scopeSites: [...(scope.sites ?? [])],
  scopeTags: [...(scope.tags ?? [])],
});

export const fromScopeColumns = ({ scoped, scopeSites, scopeTags }: ScopeColumns): Scope =>
  scoped ? { sites: scopeSites, tags: scopeTags } : everyMachine;
