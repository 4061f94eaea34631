import { AsyncResource } from "node:async_hooks";
import pg from "pg";

/** Told of each statement by its text when it is sent; what it returns is called when the answer is there, or the error. */
export type OnQuery = (text: string) => (error?: unknown) => void;

// biome-ignore lint/suspicious/noExplicitAny: pg's query and connect each have many shapes, which are passed on as they come
type Any = any;

const textOf = (query: unknown): string =>
  typeof query === "string"
    ? query
    : typeof query === "object" && query !== null && "text" in query && typeof query.text === "string"
      ? query.text
      : "";

/** A pool whose statements are told of, each in the asynchronous context of whoever asked for it. */
export function tracedPool(config: pg.PoolConfig, onQuery: OnQuery): pg.Pool {
  class TracedClient extends pg.Client {
    override query(...args: Any[]): Any {
      const done = onQuery(textOf(args[0]));
      const last = args.at(-1);
      if (typeof last === "function") {
        args[args.length - 1] = (error: unknown, ...rest: unknown[]) => {
          done(error ?? undefined);
          last(error, ...rest);
        };
        return super.query(...(args as [Any]));
      }
      const answer: Any = super.query(...(args as [Any]));
      if (answer instanceof Promise)
        answer.then(
          () => done(),
          (error) => done(error),
        );
      else done();
      return answer;
    }
  }
  class TracedPool extends pg.Pool {
    /** Who waits for a connection gets it when somebody else gives it back: in that one's context, but for this. */
    override connect(callback?: Any): Any {
      return callback ? super.connect(AsyncResource.bind(callback)) : super.connect();
    }
  }
  return new TracedPool({ ...config, Client: TracedClient } as pg.PoolConfig);
}
