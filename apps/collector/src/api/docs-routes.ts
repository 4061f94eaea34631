import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";

/*
 * The API's document to read and to try, at /api/docs: Swagger UI from our own disk. It asks nobody else for anything, and
 * its policy lets it ask this collector alone.
 */

const open = { open: "it describes the API" } as const;

const files: Readonly<Record<string, string>> = {
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "swagger-ui.css": "text/css; charset=utf-8",
  "favicon-32x32.png": "image/png",
};

/** Beside the built collector, else where npm put them. */
const directory = (): string =>
  import.meta.url.endsWith(".ts")
    ? path.join(path.dirname(createRequire(import.meta.url).resolve("@fastify/swagger-ui")), "static")
    : fileURLToPath(new URL("./api-docs", import.meta.url));

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lynceus API</title>
<link rel="icon" href="/api/docs/favicon-32x32.png">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
`;

/** A token that is typed in is forgotten with the page. */
const start = `SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: false,
  persistAuthorization: false,
  validatorUrl: null,
});
`;

// React sets styles element by element, which style-src-attr would stop; scripts are files alone.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export async function docsRoutes(app: FastifyInstance): Promise<void> {
  app.addHook("onSend", async (_request, reply) => {
    reply.header("content-security-policy", policy);
    reply.header("x-content-type-options", "nosniff");
    reply.header("referrer-policy", "no-referrer");
  });
  const hidden = { config: open, schema: { hide: true } };
  app.get("/api/docs", hidden, async (_request, reply) => reply.type("text/html; charset=utf-8").send(page));
  app.get("/api/docs/start.js", hidden, async (_request, reply) =>
    reply.type("text/javascript; charset=utf-8").send(start),
  );
  for (const [name, type] of Object.entries(files)) {
    let read: Promise<Buffer> | null = null;
    app.get(`/api/docs/${name}`, hidden, async (_request, reply) => {
      read ??= readFile(path.join(directory(), name));
      return reply
        .type(type)
        .header("cache-control", "public, max-age=3600")
        .send(await read);
    });
  }
}
