import { defineConfig } from "vitest/config";

// Windows programs under Wine: one Windows at a time, made and thrown away by each file.
export default defineConfig({
  test: {
    include: ["test-windows/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    reporters: ["verbose"],
  },
});
