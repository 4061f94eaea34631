import { generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { decodeCollectorMessage } from "@lynceus/protocol/decode";
import type { Confirmation, RawObservation } from "@lynceus/protocol/facts";
import type { CollectorMessage } from "@lynceus/protocol/messages";
import { WebSocket } from "ws";

type Of<T extends CollectorMessage["type"]> = Extract<CollectorMessage, { type: T }>;

export interface TestKey {
  readonly privateKey: KeyObject;
  /** SPKI DER, base64. */
  readonly publicKey: string;
}

export function newKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { privateKey, publicKey: publicKey.export({ type: "spki", format: "der" }).toString("base64") };
}

const signed = (key: TestKey, text: string) => sign(null, Buffer.from(text, "utf8"), key.privateKey).toString("base64");

/** One connection that speaks the protocol and keeps all it heard. */
export class TestAgent {
  readonly socket: WebSocket;
  readonly heard: CollectorMessage[] = [];
  closed: { code: number; reason: string } | null = null;
  epoch: string = randomUUID();
  bootId: string = randomUUID();
  /** Set false to be an agent that does not even answer a ping. */
  private readonly waiting = new Set<() => void>();

  constructor(url: string, options: { path?: string; ca?: string; autoPong?: boolean } = {}) {
    this.socket = new WebSocket(`${url}${options.path ?? "/agent/v1"}`, {
      perMessageDeflate: false,
      autoPong: options.autoPong ?? true,
      ...(options.ca ? { ca: options.ca } : {}),
    });
    this.socket.on("message", (data) => {
      const decoded = decodeCollectorMessage(String(data));
      if (!decoded.ok) throw new Error(`the collector sent what cannot be read: ${decoded.error.message}`);
      this.heard.push(decoded.value);
      this.check();
    });
    this.socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.check();
    });
    this.socket.on("error", () => {});
  }

  private check(): void {
    for (const look of [...this.waiting]) look();
  }

  /** Resolves with what `find` gives, as soon as it gives something; rejects when the connection closes before. */
  until<T>(find: () => T | null | undefined | false, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found !== null && found !== undefined && found !== false) resolve(found);
        else if (this.closed)
          reject(new Error(`closed (${this.closed.code} ${this.closed.reason}) before ${what}; heard ${this.types()}`));
        else return;
        this.waiting.delete(look);
      };
      this.waiting.add(look);
      look();
    });
  }

  private types = () => this.heard.map((message) => message.type).join(", ");

  next<T extends CollectorMessage["type"]>(type: T, from = 0): Promise<Of<T>> {
    return this.until(() => this.heard.slice(from).find((message): message is Of<T> => message.type === type), type);
  }

  /** Resolves when the connection is closed. */
  end(): Promise<{ code: number; reason: string }> {
    return this.until(() => this.closed, "its end");
  }

  /** The highest seq of this epoch that was acknowledged. */
  acked(): number {
    return Math.max(
      0,
      ...this.heard.map((message) =>
        message.type === "ack" && message.epoch === this.epoch
          ? message.seq
          : message.type === "welcome"
            ? message.ackedSeq
            : 0,
      ),
    );
  }
  untilAcked(seq: number): Promise<true> {
    return this.until(() => this.acked() >= seq && (true as const), `the ack of ${seq}`);
  }

  send(message: Record<string, unknown>): void {
    this.socket.send(JSON.stringify({ v: 1, ...message }));
  }

  async enroll(key: TestKey, token: string, change: Record<string, unknown> = {}): Promise<Of<"enrolled">> {
    const { nonce } = await this.next("challenge");
    this.send({
      type: "enroll",
      agentVersion: "0.1.0",
      os: "linux",
      hostname: "pc1",
      token,
      publicKey: key.publicKey,
      signature: signed(key, `lynceus-enroll-v1\n${nonce}\n${key.publicKey}`),
      simulated: false,
      ...change,
    });
    return this.next("enrolled");
  }

  async hello(key: TestKey, machineId: string, change: Record<string, unknown> = {}): Promise<Of<"welcome">> {
    const { nonce } = await this.next("challenge");
    this.send({
      type: "hello",
      agentVersion: "0.1.0",
      os: "linux",
      hostname: "pc1",
      machineId,
      signature: signed(key, `lynceus-hello-v1\n${nonce}\n${machineId}\n${this.epoch}`),
      epoch: this.epoch,
      lastSeq: 0,
      policyVersion: 0,
      bootId: this.bootId,
      ...change,
    });
    return this.next("welcome");
  }

  report(items: RawObservation[], confirmations: Confirmation[] = []): void {
    this.send({ type: "observations", epoch: this.epoch, items, confirmations });
  }

  heartbeat(change: Record<string, unknown> = {}): void {
    this.send({
      type: "heartbeat",
      at: 1_700_000_000_000,
      policyVersion: 0,
      outbox: { items: 0, bytes: 0, droppedConfirmations: 0, droppedObservations: 0 },
      resources: { rssBytes: 1, cpuMs: 1, uptimeSeconds: 1 },
      ...change,
    });
  }

  close(): void {
    this.socket.terminate();
  }
}
