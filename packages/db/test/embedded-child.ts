// A process that starts a server, says so, and waits to be killed. Arguments: data directory, then `end` to end by itself.
import { startEmbeddedPostgres } from "../src/embedded.ts";

const [directory = "", how = ""] = process.argv.slice(2);
const server = await startEmbeddedPostgres({ dataDirectory: directory, settings: { fsync: "off" } });
process.stdout.write(`${JSON.stringify({ pid: server.pid, url: server.url, adopted: server.adopted })}\n`);
if (how === "end") process.exit(0);
process.stdin.resume();
