// The schema engine as wasm over an in-memory PGlite: what `prisma migrate diff` does, without a download.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import * as engine from "@prisma/schema-engine-wasm/schema_engine_bg";
import { PrismaPGlite } from "pglite-prisma-adapter";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
export const migrationsDirectory = path.join(root, "prisma/migrations");
const schemaFile = path.join(root, "prisma/schema.prisma");

/** The datamodel as the engine takes it. */
const schema = { files: [{ path: schemaFile, content: readFileSync(schemaFile, "utf8") }], configDir: root };

/** The migrations on disk, in order. */
function migrationList() {
  const names = readdirSync(migrationsDirectory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return {
    baseDir: migrationsDirectory,
    lockfile: { path: "./migration_lock.toml", content: 'provider = "postgresql"\n' },
    shadowDbInitScript: "",
    migrationDirectories: names.map((name) => ({
      path: name,
      migrationFile: {
        path: "migration.sql",
        content: { tag: "ok", value: readFileSync(path.join(migrationsDirectory, name, "migration.sql"), "utf8") },
      },
    })),
  };
}

/**
 * SQL that would bring a database made by the migrations to `schema.prisma`, or null when they agree.
 * Partitioning, triggers and storage parameters are not in Prisma's language and so never differ.
 */
export async function diffMigrationsToSchema() {
  const require = createRequire(import.meta.url);
  const wasm = readFileSync(require.resolve("@prisma/schema-engine-wasm").replace(/\.js$/, "_bg.wasm"));
  const { instance } = await WebAssembly.instantiate(wasm, { "./schema_engine_bg.js": engine });
  engine.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();

  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPGlite(new PGlite()));
  const schemaEngine = await engine.SchemaEngine.new({ datamodels: undefined }, () => {}, adapter);
  const result = await schemaEngine.diff({
    from: { tag: "migrations", ...migrationList() },
    to: { tag: "schemaDatamodel", ...schema },
    script: true,
    exitCode: true,
    filters: { externalTables: [], externalEnums: [] },
  });
  return result.exitCode === 2 ? result.stdout : null;
}
