import { defineConfig } from "vitest/config";

// One corporate network at a time: its namespaces, servers and agents are shared by the tests of a file.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 240_000,
    reporters: ["verbose"],
  },
});
