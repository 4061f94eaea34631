// The baseline of `connections`: a WebSocket server that holds connections and nothing else. `tsx bare-server.ts PORT`.
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ port: Number(process.argv[2]), host: "127.0.0.1", perMessageDeflate: false });
server.on("listening", () => process.stdout.write('{"msg":"listening"}\n'));
process.on("SIGTERM", () => process.exit(0));
