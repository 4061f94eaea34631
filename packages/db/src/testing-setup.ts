import { startTestServer } from "./testing.ts";

/** vitest's globalSetup: one PostgreSQL for the whole run. Projects of one run share the first one's. */
export async function setup(): Promise<() => Promise<void>> {
  const server = await startTestServer();
  process.env.LYNCEUS_TEST_DATABASE_URL ??= server.url;
  return async () => {
    if (process.env.LYNCEUS_TEST_DATABASE_URL === server.url) delete process.env.LYNCEUS_TEST_DATABASE_URL;
    await server.stop();
  };
}
