import { defineConfig } from "vitest/config";

/** The built module in Chromium, with Grafana's packages and a real collector. */
export default defineConfig({
  test: {
    name: "grafana-e2e",
    include: ["**/*.test.ts"],
    globalSetup: ["@lynceus/db/testing-setup"],
    fileParallelism: false,
    // What another process does takes as long as the machine is busy; a second, the default, is no reason to fail.
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 60_000,
    hookTimeout: 240_000,
    reporters: ["verbose"],
  },
});
