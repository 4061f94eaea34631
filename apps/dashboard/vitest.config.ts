import { defineConfig } from "vitest/config";

// The browser tests in e2e/ have their own, since they need the product built and running.
export default defineConfig({ test: { include: ["test/**/*.test.ts"] } });
