import { listen } from "@lynceus/db/notify";
import { environment } from "./env.ts";
import { type LiveHub, liveHub } from "./live-hub.ts";

/** How long answers that are under way may take when the process is asked to end. */
const lastAnswersMs = 2_000;

const kept = globalThis as typeof globalThis & { lynceusLive?: LiveHub };

/** The process's one hub, fed by one LISTEN on the database. Made when the first page asks to be live. */
export function live(): LiveHub {
  kept.lynceusLive ??= start();
  return kept.lynceusLive;
}

function start(): LiveHub {
  const hub = liveHub({ most: 500, everyMs: 1_000, heartbeatMs: 10_000 });
  hub.blind(true);
  const heard = () => {
    hub.blind(false);
    hub.changed();
  };
  const listener = listen(environment().databaseUrl, heard, {
    channels: ["lynceus"],
    onError: (error) => {
      hub.blind(true);
      console.error(`live: ${error.message}`);
    },
  });
  // What was told before it listened is unknown: the pages read again.
  void listener.ready.then(heard);
  // The server waits for its connections before it ends: an open page would hold it up, and asks again and again.
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => {
      hub.close();
      setTimeout(() => process.exit(0), lastAnswersMs).unref();
    });
  return hub;
}
