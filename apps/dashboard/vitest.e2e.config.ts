import { defineConfig } from "vitest/config";

/** Browser tests over the product as it is built. One file after the other: each starts servers of its own. */
export default defineConfig({
  test: {
    name: "dashboard-e2e",
    include: ["e2e/**/*.test.ts"],
    globalSetup: ["@lynceus/db/testing-setup"],
    fileParallelism: false,
    // What another process does takes as long as the machine is busy; a second, the default, is no reason to fail.
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 120_000,
    hookTimeout: 240_000,
    reporters: ["verbose"],
  },
});
