import { defineConfig } from "vitest/config";

// What stands around the product: each test starts the real program (Prometheus, nginx) beside the built collector.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["@lynceus/db/testing-setup"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ["verbose"],
  },
});
