import { defineConfig } from "vitest/config";

// One corporate network at a time: its namespaces, servers and agents are shared by the tests of a file.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    fileParallelism: false,
    // What another process does takes as long as the machine is busy; a second, the default, is no reason to fail.
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 240_000,
    hookTimeout: 240_000,
    reporters: ["verbose"],
  },
});
