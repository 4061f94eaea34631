import { defineConfig } from "vitest/config";

// Windows programs under Wine: one Windows at a time, made and thrown away by each file.
export default defineConfig({
  test: {
    include: ["test-windows/**/*.test.ts"],
    fileParallelism: false,
    // What the tests wait for has bounds of its own, whose errors say more.
    testTimeout: 400_000,
    hookTimeout: 400_000,
    reporters: ["verbose"],
  },
});
