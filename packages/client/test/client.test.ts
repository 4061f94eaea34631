import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ApiError, answer, collectorUrl, createClient, pages } from "../src/client.ts";

const servers: ReturnType<typeof createServer>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});
async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, client: createClient({ url, token: "lyn_secret-of-the-test" }) };
}
const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

describe("the client", () => {
  it("sends the token and the parameters, and gives the answer", async () => {
    let seen: IncomingMessage | undefined;
    const { client } = await serve((request, response) => {
      seen = request;
      json(response, 200, { healthy: 7 });
    });
    const counts = await answer(client.GET("/api/v1/counts", { params: { query: { q: "site:Bern tag:vip" } } }));
    expect(counts.healthy).toBe(7);
    expect(seen?.headers.authorization).toBe("Bearer lyn_secret-of-the-test");
    expect(seen?.url).toBe("/api/v1/counts?q=site%3ABern%20tag%3Avip");
  });

  it("asks for page after page", async () => {
    const asked: (string | undefined)[] = [];
    const { client } = await serve((request, response) => {
      asked.push(request.url);
      const second = request.url?.includes("cursor=c1");
      json(response, 200, { items: [{ id: second ? "b" : "a" }], nextCursor: second ? null : "c1", total: 2 });
    });
    const ids: string[] = [];
    for await (const { id } of pages((query) => client.GET("/api/v1/machines", { params: { query } }), 1)) ids.push(id);
    expect(ids).toEqual(["a", "b"]);
    expect(asked).toEqual(["/api/v1/machines?limit=1", "/api/v1/machines?limit=1&cursor=c1"]);
  });

  it("throws what the API refused, with its code and the request's id", async () => {
    const { client } = await serve((_request, response) =>
      json(response, 403, { error: { code: "forbidden", message: 'this needs scope "admin"', requestId: "r1" } }),
    );
    const refused = await answer(client.GET("/api/v1/enrollment-tokens")).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ApiError);
    expect(refused).toMatchObject({
      status: 403,
      code: "forbidden",
      message: 'this needs scope "admin"',
      requestId: "r1",
    });
  });

  it("says when who answers is no collector, and when nobody does", async () => {
    const { client, url } = await serve((_request, response) => response.writeHead(502).end("<h1>Bad gateway</h1>"));
    await expect(answer(client.GET("/api/v1/counts"))).rejects.toMatchObject({
      code: "unexpected",
      message: `${url}/api/v1/counts answered 502; is it a collector?`,
    });
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    await expect(answer(client.GET("/api/v1/counts"))).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });
});

describe("the address of a collector", () => {
  it.each([
    ["https://collector.example.org:7443", "https://collector.example.org:7443"],
    ["wss://collector.example.org:7443", "https://collector.example.org:7443"],
    ["ws://127.0.0.1:7443/", "http://127.0.0.1:7443"],
  ])("%s is %s", (text, url) => expect(collectorUrl(text)).toBe(url));

  it.each(["collector.example.org:7443", "https://a.example.org/api", "https://ann:pw@a.example.org", "ftp://a"])(
    "%s is refused with an example",
    (text) =>
      expect(() => collectorUrl(text)).toThrow(`"${text}" is not the address of a collector; use e.g. https://`),
  );
});
