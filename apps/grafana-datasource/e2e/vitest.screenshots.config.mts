import { defineConfig, mergeConfig } from "vitest/config";
import tests from "./vitest.config.mts";

/** Pictures for Grafana's catalogue: no test, and taken by hand. */
export default defineConfig(
  mergeConfig({ test: { name: "screenshots" } }, { test: { ...tests.test, include: ["screenshots.ts"] } }),
);
