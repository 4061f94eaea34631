import { defineConfig } from "vitest/config";

// Real servers, a browser and property tests: only a hang is a failure.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } });
