import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { Prisma, PrismaClient } from "./generated/client.ts";
import { type OnQuery, tracedPool } from "./traced-pool.ts";

/** One process's way to the database. Every query function of this package takes it first. */
export interface Database {
  readonly url: string;
  readonly prisma: PrismaClient;
  /** The pool below Prisma, for the one statement where its way in costs too much: see ingest.ts. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** What a read needs: a Database, or one snapshot of it. */
export interface Reader {
  readonly prisma: Prisma.TransactionClient;
}

/**
 * Reads that see one moment: all figures of a page come from one snapshot. Read-only. What is seen of the fleet through
 * `db` (scope.ts) is seen through its reader.
 */
export function inSnapshot<D extends Database, T>(
  db: D,
  read: (reader: Omit<D, keyof Database> & Reader) => Promise<T>,
): Promise<T> {
  return db.prisma.$transaction(
    async (prisma) => {
      await prisma.$executeRaw`SET TRANSACTION READ ONLY`;
      return read({ ...db, prisma });
    },
    { isolationLevel: "RepeatableRead" },
  );
}

export interface OpenOptions {
  /** `postgresql://user:password@host:5432/name`, or a Unix socket: `postgresql://user:password@localhost/name?host=%2Frun%2Fpg`. */
  url: string;
  /** Most connections at once; 10 when not given. */
  connections?: number;
  /** Told of a connection that broke while idle; the pool opens a new one by itself. */
  onError?: (error: Error) => void;
  /** Told of each statement, for traces; costs a little. */
  onQuery?: OnQuery;
}

/** Opens a pool. Nothing connects until the first query. Times are read and written in UTC whatever the server's zone. */
export function openDatabase(options: OpenOptions): Database {
  const config: pg.PoolConfig = {
    connectionString: options.url,
    max: options.connections ?? 10,
    connectionTimeoutMillis: 10_000,
    options: "-c TimeZone=UTC",
    application_name: "lynceus",
  };
  const pool = options.onQuery ? tracedPool(config, options.onQuery) : new pg.Pool(config);
  // Without a listener a dropped idle connection would end the process.
  pool.on("error", (error) => options.onError?.(error));
  // So would one that breaks between two statements of whoever holds it: the next statement says that it is gone.
  pool.on("connect", (client) => client.on("error", () => {}));
  const adapter = new PrismaPg(pool, { disposeExternalPool: true, onPoolError: (error) => options.onError?.(error) });
  const prisma = new PrismaClient({ adapter, transactionOptions: { maxWait: 15_000, timeout: 60_000 } });
  return {
    url: options.url,
    prisma,
    pool,
    close: async () => {
      await prisma.$disconnect();
      if (!pool.ended && !pool.ending) await pool.end();
    },
  };
}

export { Prisma, type PrismaClient };
