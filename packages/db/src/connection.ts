import pg from "pg";

/** A one-line error about the database itself: unreachable, refused, too old. `code` is PostgreSQL's or the system's. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly code: string | null;
  constructor(message: string, code: string | null = null) {
    super(message);
    this.code = code;
  }
}

/** The URL without its password, for messages. */
export function redactDatabaseUrl(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password) parsed.password = "***";
    return parsed.toString();
  } catch {
    return "(not a URL)";
  }
}

/** PostgreSQL's or the system's code of an error, such as `40P01` or `ECONNREFUSED`. */
export function errorCode(error: unknown): string | null {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "string"
    ? error.code
    : null;
}

/** Connects one client outside the pool, for what needs a session of its own: migrations, LISTEN, set-up. */
export async function connectClient(url: string): Promise<pg.Client> {
  if (!/^postgres(ql)?:\/\//.test(url))
    throw new DatabaseError(
      `DATABASE_URL "${redactDatabaseUrl(url)}" is not a PostgreSQL address; use e.g. postgresql://lynceus:secret@db.example.org:5432/lynceus`,
    );
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, options: "-c TimeZone=UTC" });
  // A connection that breaks between queries would end the process; the next query says that it is gone.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    client.end().catch(() => {});
    const reason = error instanceof AggregateError ? error.errors.map(String).join("; ") : String(error);
    throw new DatabaseError(`cannot connect to ${redactDatabaseUrl(url)}: ${reason}`, errorCode(error));
  }
  return client;
}
