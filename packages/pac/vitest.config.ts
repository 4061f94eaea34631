import { defineConfig } from "vitest/config";

// Children are started; only a hang is a failure.
export default defineConfig({ test: { testTimeout: 60_000 } });
