import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "db",
    include: ["test/**/*.test.ts"],
    globalSetup: ["@lynceus/db/testing-setup"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
