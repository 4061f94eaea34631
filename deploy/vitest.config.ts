import { defineConfig } from "vitest/config";

// What stands around the product: each test starts the real program (Prometheus, nginx) beside the built collector.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["@lynceus/db/testing-setup"],
    fileParallelism: false,
    // What another process does takes as long as the machine is busy; a second, the default, is no reason to fail.
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ["verbose"],
  },
});
