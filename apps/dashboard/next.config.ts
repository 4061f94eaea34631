import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { NextConfig } from "next";

// A build says nothing to anyone outside.
process.env.NEXT_TELEMETRY_DISABLED = "1";

/** The workspace's root: what the standalone server needs of `packages/*` and `node_modules` is traced from here. */
const root = fileURLToPath(new URL("../..", import.meta.url));

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as { version: string };

/** On every answer; the content security policy is made a request at a time in src/proxy.ts. */
const headers = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "X-Frame-Options", value: "DENY" },
  { key: "Referrer-Policy", value: "same-origin" },
  { key: "Cross-Origin-Opener-Policy", value: "same-origin" },
  { key: "Cross-Origin-Resource-Policy", value: "same-origin" },
  { key: "Permissions-Policy", value: "camera=(), geolocation=(), microphone=(), payment=(), usb=()" },
];

const config: NextConfig = {
  output: "standalone",
  env: { LYNCEUS_VERSION: version },
  outputFileTracingRoot: root,
  turbopack: { root },
  transpilePackages: [
    "@lynceus/protocol",
    "@lynceus/proxy-settings",
    "@lynceus/diagnosis",
    "@lynceus/incidents",
    "@lynceus/notify",
    "@lynceus/db",
    "@lynceus/telemetry",
  ],
  serverExternalPackages: ["pg"],
  poweredByHeader: false,
  reactStrictMode: true,
  devIndicators: false,
  headers: async () => [{ source: "/:path*", headers }],
  experimental: { optimizePackageImports: ["@mantine/core", "@mantine/hooks"] },
};

export default config;
