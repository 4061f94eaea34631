import { defineConfig } from "vitest/config";

// Property tests take as long as the machine lets them; only a hang is a failure.
export default defineConfig({ test: { testTimeout: 60_000 } });
