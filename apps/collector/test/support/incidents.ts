import { randomBytes, randomUUID } from "node:crypto";
import { currentAlerting, saveAlerting } from "@lynceus/db/alerting";
import type { Database } from "@lynceus/db/client";
import type { KeyRing } from "@lynceus/notify/key-ring";
import { receiverSecretPlace, sealSecret } from "@lynceus/notify/sealed-secret";
import { alertingConfigSchema } from "@lynceus/protocol/alerting";
import type { Notice } from "@lynceus/protocol/notice";
import { httpServer } from "@lynceus/testkit/http-server";

/** What a webhook got: the notice, its key, and how it was answered. */
export interface Got {
  readonly key: string;
  readonly notice: Notice;
  readonly answered: number;
}

/** A receiver of webhooks on loopback that remembers what it got. It answers `status`, which a test may change. */
export async function webhookServer() {
  const got: Got[] = [];
  const asked: string[] = [];
  const state = {
    status: 200,
    headers: {} as Record<string, string>,
    hold: null as Promise<void> | null,
    /** Called when a request came, before it is answered. */
    onRequest: null as (() => Promise<void>) | null,
  };
  const server = await httpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const { status } = state;
      asked.push(`${request.method} ${request.url}`);
      if (request.method === "POST")
        got.push({
          key: String(request.headers["webhook-id"]),
          notice: JSON.parse(Buffer.concat(chunks).toString("utf8")) as Notice,
          answered: status,
        });
      const { hold } = state;
      void state.onRequest?.();
      await hold;
      response.writeHead(status, state.headers).end(status < 300 ? "" : "not now");
    });
  });
  return {
    got,
    asked,
    state,
    url: `http://127.0.0.1:${server.port}/hook`,
    /** `opened 1`, of what was taken. */
    get taken(): string[] {
      return got
        .filter(({ answered }) => answered < 300)
        .map(({ notice }) => `${notice.kind} ${notice.incident?.number ?? notice.headline}`);
    },
    close: () => server.close(),
  };
}
export type WebhookServer = Awaited<ReturnType<typeof webhookServer>>;

export const webhook = (id: string, url: string, change: Record<string, unknown> = {}) => ({
  type: "webhook",
  id,
  name: id,
  settings: { url, connection: { reach: "loopback" } },
  ...change,
});

const signingSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

/** Saves an alerting configuration; each webhook gets its secret. */
export async function configure(
  db: Database,
  keys: KeyRing,
  config: Record<string, unknown>,
  secrets: Record<string, Record<string, string>> = {},
): Promise<void> {
  const parsed = alertingConfigSchema.parse(config);
  const sealed: Record<string, Record<string, string>> = {};
  const all = Object.fromEntries(
    parsed.receivers.map(({ id, type }) => [id, type === "webhook" ? { signingSecret } : {}]),
  );
  for (const [receiver, own] of Object.entries({ ...all, ...secrets }))
    sealed[receiver] = Object.fromEntries(
      Object.entries(own).map(([name, text]) => [name, sealSecret(keys, receiverSecretPlace(receiver, name), text)]),
    );
  const { version } = await currentAlerting(db);
  await saveAlerting(db, { config: parsed, baseVersion: version, secrets: sealed }, { actor: "test", now: new Date() });
}

export interface MachineChange {
  status?: string;
  pattern?: string | null;
  severity?: string;
  cause?: string;
  route?: string;
  site?: string;
  tags?: string[];
  location?: string;
  simulated?: boolean;
  patterns?: string[];
}

/** Machines as the collector stores them, without agents: what incidents are made of. */
export function machineTable(db: Database, now: () => number) {
  const set = async (ids: readonly string[], change: MachineChange): Promise<void> => {
    const at = new Date(now());
    const { status = "failing", pattern = "proxy-unreachable", severity = "prompting" } = change;
    const cause = pattern === null ? null : (change.cause ?? "px1:8080 does not answer (refused)");
    await db.pool.query(
      `WITH changed AS (
        UPDATE machines SET status_since = CASE WHEN status = $2 THEN status_since ELSE $3 END, status = $2,
          last_seen_at = $3, primary_pattern = $4, primary_severity = $5, primary_confidence = $6, primary_cause = $7,
          primary_since = $3, patterns = $8, location = $9, route = $10, verdict_configured = $11
        WHERE id = ANY ($1::uuid[]) RETURNING id)
      UPDATE machine_traits SET changed_at = clock_timestamp() FROM changed WHERE machine_id = changed.id`,
      [
        ids,
        status,
        at,
        status === "healthy" ? null : pattern,
        status === "healthy" || pattern === null ? null : severity,
        status === "healthy" || pattern === null ? null : "high",
        status === "healthy" ? null : cause,
        change.patterns ?? (status === "healthy" || pattern === null ? [] : [pattern]),
        change.location ?? "inside",
        change.route ?? "px1:8080",
        status === "healthy" ? "exchange-onprem" : "tcp-refused",
      ],
    );
    await db.pool.query("SELECT pg_notify('lynceus', '')");
  };
  return {
    /** So many healthy machines. */
    async add(count: number, change: MachineChange = {}): Promise<string[]> {
      const ids = Array.from({ length: count }, () => randomUUID());
      await db.pool.query(
        `WITH made AS (
          INSERT INTO machines (id, hostname, public_key, site, tags, simulated, os, status, status_since, last_seen_at,
            location, route, verdict_configured)
          SELECT id, 'PC-' || left(id::text, 8), key, $3, $4, $5, 'windows', 'healthy', $6, $6, $7, $8, 'exchange-onprem'
          FROM unnest($1::uuid[], $2::bytea[]) AS r(id, key) RETURNING id)
        INSERT INTO machine_traits (machine_id) SELECT id FROM made`,
        [
          ids,
          ids.map(() => randomBytes(44)),
          change.site ?? "Singapore",
          change.tags ?? [],
          change.simulated ?? false,
          new Date(now()),
          change.location ?? "inside",
          change.route ?? "px1:8080",
        ],
      );
      return ids;
    },
    fail: (ids: readonly string[], change: MachineChange = {}) => set(ids, change),
    heal: (ids: readonly string[]) => set(ids, { status: "healthy" }),
    set,
  };
}
