import pg from "pg";
import { isTransient } from "./sql-error.ts";

// biome-ignore lint/suspicious/noExplicitAny: pg's query and connect each have many shapes, which are passed on as they come
type Any = any;

/**
 * `cannot_connect_now`: graphile-worker writes down what became of a job in the background. It repeats that after a few
 * errors only, of which a database that was ended is none; any other it throws where nobody hears it, which ends the process.
 */
const repeated = "57P03";

const repeatable = (error: unknown): unknown =>
  error instanceof Error && isTransient(error) ? Object.assign(error, { code: repeated }) : error;

/** The connections of the clock of jobs: a database that is away is waited for, for hours if need be. */
export function jobsPool(options: {
  url: string;
  connections: number;
  /** Told of a connection that broke, idle or not. */
  onError: (error: Error) => void;
}): pg.Pool {
  class JobsClient extends pg.Client {
    override query(...args: Any[]): Any {
      const answer: Any = super.query(...(args as [Any]));
      return answer instanceof Promise
        ? answer.catch((error) => {
            throw repeatable(error);
          })
        : answer;
    }
  }
  class JobsPool extends pg.Pool {
    override connect(callback?: Any): Any {
      if (callback) return super.connect(callback);
      return super.connect().catch((error) => {
        throw repeatable(error);
      });
    }
  }
  const pool = new JobsPool({
    connectionString: options.url,
    max: options.connections,
    connectionTimeoutMillis: 10_000,
    application_name: "lynceus",
    Client: JobsClient,
  } as pg.PoolConfig);
  pool.on("error", options.onError);
  pool.on("connect", (client) => client.on("error", options.onError));
  return pool;
}
