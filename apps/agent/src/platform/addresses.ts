import { createSocket } from "node:dgram";

/** TEST-NET-1: routed like any other address, and nothing is sent to it. */
const somewhere = "192.0.2.1";

/**
 * The address that this machine would speak from: one, and on a machine with a VPN perhaps not the one that was meant
 * (domain 4.6, `myIpAddress`). `127.0.0.1` when there is no route.
 */
export function sourceAddress(): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    const answer = (address: string) => {
      resolve(address);
      socket.close();
    };
    socket.once("error", () => answer("127.0.0.1"));
    // Connecting a datagram socket only chooses the route.
    socket.connect(9, somewhere, () => answer(socket.address().address));
  });
}
