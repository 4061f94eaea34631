import { defineConfig } from "vitest/config";

// The browser tests in e2e/ have their own, since they need the product built and running.
export default defineConfig({
  test: {
    name: "dashboard",
    include: ["test/**/*.test.ts"],
    globalSetup: ["@lynceus/db/testing-setup"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
