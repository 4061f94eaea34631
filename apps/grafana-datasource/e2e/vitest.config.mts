import { defineConfig } from "vitest/config";

/** The built module in Chromium, with Grafana's packages and a real collector. */
export default defineConfig({
  test: {
    name: "grafana-e2e",
    include: ["**/*.test.ts"],
    globalSetup: ["@lynceus/db/testing-setup"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 240_000,
    reporters: ["verbose"],
  },
});
