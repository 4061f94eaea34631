import { decodeCollectorMessage } from "@lynceus/protocol/decode";
import { type AgentMessage, protocolVersion } from "@lynceus/protocol/messages";
import type { Clock } from "../clock.ts";
import type { MachineKey } from "../identity.ts";
import type { Connect } from "./connect.ts";
import type { MachineDescription, RejectReason } from "./link.ts";

/** Refusals that have to do with the collector's moment and not with us. */
const passing = new Set<RejectReason>(["overloaded", "too-many", "too-slow", "shutting-down"]);

/** The collector said no. */
export class EnrolmentRefused extends Error {
  readonly reason: RejectReason;
  readonly retryAfterSeconds: number | null;
  constructor(reason: RejectReason, message: string, retryAfterSeconds: number | null) {
    super(`the collector refused the enrolment: ${reason}, ${message}`);
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** Whether asking again later may help. */
  get mayPass(): boolean {
    return passing.has(this.reason);
  }
}

/** From the connection to the answer. */
const answerMs = 30_000;

/**
 * Makes this key known to the collector with a token: challenge → enroll → enrolled (once in a machine's life).
 * @throws EnrolmentRefused when the collector said no; Error when it could not be asked.
 */
export async function enrol(options: {
  readonly connect: Connect;
  readonly key: MachineKey;
  /** The token's secret. */
  readonly secret: string;
  readonly machine: MachineDescription;
  readonly simulated: boolean;
  /** What the installer said of this machine. */
  readonly site?: string | null;
  readonly tags?: readonly string[];
  readonly clock: Pick<Clock, "setTimer">;
}): Promise<{ machineId: string; approved: boolean }> {
  const { socket } = await options.connect();
  try {
    return await new Promise((resolve, reject) => {
      const cancel = options.clock.setTimer(
        () => reject(new Error(`the collector did not answer the enrolment within ${answerMs / 1000} s`)),
        answerMs,
      );
      const finish = (run: () => void) => {
        cancel();
        run();
      };
      socket.on("close", (code) => finish(() => reject(new Error(`the collector closed the connection (${code})`))));
      socket.on("message", (data, isBinary) => {
        const decoded = isBinary ? null : decodeCollectorMessage(data.toString());
        if (!decoded?.ok) return finish(() => reject(new Error("the collector's answer could not be read")));
        const message = decoded.value;
        if (message.type === "challenge") {
          const { publicKey } = options.key;
          const enroll: AgentMessage = {
            v: protocolVersion,
            type: "enroll",
            ...options.machine,
            token: options.secret,
            publicKey,
            signature: options.key.sign(`lynceus-enroll-v1\n${message.nonce}\n${publicKey}`),
            simulated: options.simulated,
            ...(options.site && { site: options.site }),
            ...(options.tags?.length && { tags: [...options.tags] }),
          };
          socket.send(JSON.stringify(enroll));
        } else if (message.type === "enrolled") {
          finish(() => resolve({ machineId: message.machineId, approved: message.approved }));
        } else if (message.type === "reject") {
          finish(() => reject(new EnrolmentRefused(message.reason, message.message, message.retryAfterSeconds)));
        }
      });
      socket.resume();
    });
  } finally {
    socket.close(1000);
    const cancel = options.clock.setTimer(() => socket.terminate(), 2_000);
    socket.once("close", cancel);
  }
}
