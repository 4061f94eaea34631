// Fails when prisma/schema.prisma and prisma/migrations disagree, and prints the SQL that is missing.
import { diffMigrationsToSchema } from "./schema-engine.mjs";

const difference = await diffMigrationsToSchema();
if (difference === null) {
  process.stdout.write("schema and migrations agree\n");
  process.exit(0);
}
process.stderr.write(
  `prisma/schema.prisma and prisma/migrations disagree; make a migration with\n` +
    `  npm run new-migration -w packages/db -- add_something\nThe difference:\n${difference}\n`,
);
process.exit(1);
