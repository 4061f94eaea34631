// Writes the difference between the migrations and the schema as a new migration, to be read and edited before a commit.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { diffMigrationsToSchema, migrationsDirectory } from "./schema-engine.mjs";

const name = process.argv[2] ?? "";
if (!/^[a-z][a-z0-9_]{2,60}$/.test(name)) {
  process.stderr.write(`migration name "${name}" is not a verb phrase in snake case; use e.g. add_incident_owner\n`);
  process.exit(1);
}
const difference = await diffMigrationsToSchema();
if (difference === null) {
  process.stdout.write("schema and migrations agree: nothing to write\n");
  process.exit(0);
}
const stamp = new Date().toISOString().replace(/\D/g, "").slice(0, 14);
const directory = path.join(migrationsDirectory, `${stamp}_${name}`);
mkdirSync(directory, { recursive: true });
writeFileSync(path.join(directory, "migration.sql"), difference);
process.stdout.write(`wrote prisma/migrations/${stamp}_${name}/migration.sql\n`);
process.exit(0);
