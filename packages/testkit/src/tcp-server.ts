import { createServer, type Socket } from "node:net";
import { type Listening, listen } from "./listening.ts";

/** `hang` accepts and says nothing; `reset` accepts and resets at the first byte, as firewalls do. */
export type TcpMode = "hang" | "reset" | "close";

/** A port that accepts and then behaves badly. */
export async function tcpServer(mode: TcpMode = "hang"): Promise<Listening> {
  const act = (socket: Socket) => {
    if (mode === "close") socket.end();
    socket.on("data", () => {
      if (mode === "reset") socket.resetAndDestroy();
    });
  };
  return listen(createServer(act));
}
