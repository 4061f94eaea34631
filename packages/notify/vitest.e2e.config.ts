import { defineConfig } from "vitest/config";

/** What needs Debian's Alertmanager and Chromium: `npm run verify -- --only receivers`. */
export default defineConfig({ test: { include: ["e2e/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 } });
