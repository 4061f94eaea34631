import { type Database, openDatabase } from "@lynceus/db/client";
import { startQuerySpan } from "@lynceus/telemetry/spans";
import { wantsTraces } from "@lynceus/telemetry/tracing";
import { environment } from "./env.ts";

/** Kept beside the process and not in this module: development loads modules anew at each edit. */
const kept = globalThis as typeof globalThis & { lynceusDatabase?: Database };

/** The process's one pool. */
export function database(): Database {
  kept.lynceusDatabase ??= openDatabase({
    url: environment().databaseUrl,
    onError: (error) => console.error(`database: ${error.message}`),
    ...(wantsTraces(process.env) && { onQuery: startQuerySpan }),
  });
  return kept.lynceusDatabase;
}
