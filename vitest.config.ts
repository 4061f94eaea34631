import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: ["packages/*", "apps/*", "!apps/grafana-datasource", "scripts"],
    // Two cores: more workers only wait for each other and for PostgreSQL.
    maxWorkers: 2,
  },
});
