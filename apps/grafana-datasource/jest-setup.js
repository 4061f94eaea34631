import "./.config/jest-setup";
import { ReadableStream, TransformStream, WritableStream } from "node:stream/web";

/** What React's scheduler needs of a channel. Node's own keeps the process from ending once somebody listens. */
class MessageChannel {
  port1 = { onmessage: null };
  port2 = { postMessage: (data) => setTimeout(() => this.port1.onmessage?.({ data }), 0) };
}

// What browsers have, Grafana's packages expect, and jsdom lacks.
Object.assign(globalThis, { MessageChannel, ReadableStream, TransformStream, WritableStream });
globalThis.structuredClone ??= (value) => JSON.parse(JSON.stringify(value));
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
