import * as z from "zod";
import { isoTimeSchema } from "./read-api.ts";

/*
 * A backup is a zip: `manifest.json` last, `tables/<name>.copy` in PostgreSQL's text format of COPY, and `keys/<name>`, the
 * secret files that stand beside the database. Any zip tool opens it.
 */

export const backupFormat = 1;

const identifier = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const backupTableSchema = z.object({
  name: identifier,
  columns: z.array(identifier).min(1),
  /** Of a partition: its parent, and `FOR VALUES FROM … TO …`. */
  partition: z
    .object({ of: identifier, bound: z.string().regex(/^FOR VALUES FROM \('[\d :+.-]+'\) TO \('[\d :+.-]+'\)$/) })
    .nullable(),
  rows: z.int().min(0),
  bytes: z.int().min(0),
  sha256,
});
export type BackupTable = z.infer<typeof backupTableSchema>;

export const backupManifestSchema = z.object({
  product: z.literal("lynceus"),
  format: z.literal(backupFormat),
  /** Of Lynceus, and of PostgreSQL, that wrote it. */
  version: z.string(),
  server: z.string(),
  createdAt: isoTimeSchema,
  /** The schema that it is of: migrations that were applied, oldest first. */
  migrations: z.array(z.string()).min(1),
  /** In an order in which each comes after those that it refers to. */
  tables: z.array(backupTableSchema),
  keys: z.array(z.object({ name: z.string().regex(/^[\w][\w./-]{0,100}$/), sha256 })),
});
export type BackupManifest = z.infer<typeof backupManifestSchema>;
