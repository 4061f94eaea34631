// The baseline of `ingest`, as a process of its own: WebSocket → batch → one insert → commit → acknowledgement, with no
// product code between. `tsx bare-pipe.ts PORT DATABASE_URL`.
import pg from "pg";
import { type WebSocket, WebSocketServer } from "ws";

const [port, databaseUrl] = process.argv.slice(2);
const client = new pg.Client(databaseUrl);
await client.connect();
await client.query(
  "CREATE TABLE IF NOT EXISTS bare_pipe (machine text, seq bigint, received_at timestamptz, facts jsonb)",
);

interface Waiting {
  readonly socket: WebSocket;
  readonly seq: number;
  readonly rows: readonly unknown[];
}
const waiting: Waiting[] = [];
let items = 0;
let writing = false;
let timer: NodeJS.Timeout | null = null;

async function flush() {
  if (timer) clearTimeout(timer);
  timer = null;
  if (writing || waiting.length === 0) return;
  writing = true;
  const batch: Waiting[] = [];
  let taken = 0;
  while (waiting.length > 0 && taken < 1000) {
    const next = waiting.shift() as Waiting;
    taken += next.rows.length;
    batch.push(next);
  }
  items -= taken;
  await client.query(
    "INSERT INTO bare_pipe SELECT r.machine, r.seq, now(), r.facts FROM jsonb_to_recordset($1::jsonb) AS r(machine text, seq bigint, facts jsonb)",
    [JSON.stringify(batch.flatMap(({ rows }) => rows))],
  );
  for (const { socket, seq } of batch) socket.send(`{"v":1,"type":"ack","epoch":"","seq":${seq}}`);
  writing = false;
  if (items >= 1000) void flush();
  else if (waiting.length > 0) timer ??= setTimeout(flush, 20);
}

const server = new WebSocketServer({ port: Number(port), host: "127.0.0.1", perMessageDeflate: false });
server.on("connection", (socket) => {
  socket.on("message", (data) => {
    const message = JSON.parse(data.toString()) as { items: { seq: number; facts: unknown }[] };
    const rows = message.items.map(({ seq, facts }) => ({ machine: "m", seq, facts }));
    waiting.push({ socket, seq: message.items.at(-1)?.seq ?? 0, rows });
    items += rows.length;
    if (items >= 1000) void flush();
    else timer ??= setTimeout(flush, 20);
  });
});
server.on("listening", () => process.stdout.write('{"msg":"listening"}\n'));
process.on("SIGTERM", () => process.exit(0));
