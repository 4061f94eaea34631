import { defineConfig } from "vitest/config";

// Windows programs under Wine: one Windows at a time, made and thrown away by each file.
export default defineConfig({
  test: {
    include: ["test-windows/**/*.test.ts"],
    fileParallelism: false,
    // What the tests wait for has bounds of its own, whose errors say more.
    // What another process does takes as long as the machine is busy; a second, the default, is no reason to fail.
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 400_000,
    hookTimeout: 400_000,
    reporters: ["verbose"],
  },
});
