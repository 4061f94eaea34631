import type pg from "pg";

/** A table of ours as it is in the database. */
export interface StoredTable {
  readonly name: string;
  /** Those that are stored: generated ones come by themselves. */
  readonly columns: string[];
  readonly partition: { readonly of: string; readonly bound: string } | null;
}

/** Not in a backup: whoever was signed in signs in again, and applied migrations are named in the manifest. */
const left = new Set(["sessions", "verifications", "_prisma_migrations"]);

/** Every table that holds rows, partitions and not their parents, each after those that it refers to. */
export async function storedTables(client: pg.ClientBase): Promise<StoredTable[]> {
  const { rows } = await client.query<StoredTable & { parent: string | null; bound: string | null; refers: string[] }>(`
    SELECT c.relname::text AS name, p.relname::text AS parent, pg_get_expr(c.relpartbound, c.oid) AS bound,
      (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
      coalesce((SELECT array_agg(r.relname::text) FROM pg_constraint f JOIN pg_class r ON r.oid = f.confrelid
        WHERE f.conrelid = c.oid AND f.contype = 'f'), '{}') AS refers
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
    WHERE n.nspname = current_schema() AND c.relkind = 'r' ORDER BY c.relname`);
  const waiting = new Map(rows.filter(({ name }) => !left.has(name)).map((row) => [row.name, row]));
  const ordered: StoredTable[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting.values()].filter((row) => row.refers.every((to) => to === row.name || !waiting.has(to)));
    if (ready.length === 0) throw new Error(`tables that refer to each other: ${[...waiting.keys()].join(", ")}`);
    for (const { name, columns, parent, bound } of ready) {
      waiting.delete(name);
      ordered.push({ name, columns, partition: parent && bound ? { of: parent, bound } : null });
    }
  }
  return ordered;
}

/** `COPY "machines" ("id", …)`: names come from the catalogue or a checked manifest. */
export const copyOf = ({ name, columns }: Pick<StoredTable, "name" | "columns">): string =>
  `COPY "${name}" (${columns.map((column) => `"${column}"`).join(", ")})`;
