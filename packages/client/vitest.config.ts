import { defineConfig } from "vitest/config";

// Real servers and property tests: only a hang is a failure.
export default defineConfig({ test: { include: ["test/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 } });
