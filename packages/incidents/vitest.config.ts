import { defineConfig } from "vitest/config";

// Whole nights of a fleet are gone through; only a hang is a failure.
export default defineConfig({ test: { testTimeout: 60_000 } });
