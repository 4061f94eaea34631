import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "collector",
    include: ["test/**/*.test.ts"],
    globalSetup: ["@lynceus/db/testing-setup"],
    // What another process does takes as long as the machine is busy; a second, the default, is no reason to fail.
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
