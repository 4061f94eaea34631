import { defineConfig } from "vitest/config";

/** Browser tests over the product as it is built. One file after the other: each starts servers of its own. */
export default defineConfig({
  test: {
    name: "dashboard-e2e",
    include: ["e2e/**/*.test.ts"],
    globalSetup: ["@lynceus/db/testing-setup"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 240_000,
    reporters: ["verbose"],
  },
});
