import { allows } from "@lynceus/protocol/access";
import { apiError } from "../../../lib/api-error.ts";
import { apiUser } from "../../../lib/api-user.ts";
import { live } from "../../../lib/live.ts";
import { userOf } from "../../../lib/session.ts";

export const dynamic = "force-dynamic";

/** A stream outlives a sign-out: the session is asked for again this often (ms). */
const recheckMs = 60_000;
/** A client that reads this little (messages waiting) is cut off; it connects again by itself. */
const mostWaiting = 64;

/** Server-sent events: `hello`, then `change` (at most one a second) and `heartbeat` (each 10 s). No data in them. */
export async function GET(request: Request): Promise<Response> {
  const user = await apiUser(request, "read");
  if (user instanceof Response) return user;
  const encoder = new TextEncoder();
  let end = () => {};
  let joined = true;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const member = live().join(
          (message) => {
            if ((controller.desiredSize ?? 0) <= 0) end();
            else controller.enqueue(encoder.encode(message));
          },
          () => end(),
        );
        if (member === null) {
          joined = false;
          controller.close();
          return;
        }
        const recheck = setInterval(() => {
          userOf(request.headers).then(
            (still) => (still === null || still.must !== null || !allows(still.access, "read")) && end(),
            () => end(),
          );
        }, recheckMs);
        end = () => {
          end = () => {};
          clearInterval(recheck);
          member.leave();
          try {
            controller.close();
          } catch {
            // The browser closed it first.
          }
        };
        request.signal.addEventListener("abort", () => end());
      },
      cancel: () => end(),
    },
    { highWaterMark: mostWaiting },
  );
  if (!joined)
    return apiError(503, "TOO_MANY", "Too many pages are live at once; this one follows when another closes.");
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
      // Nothing follows a stream on its connection.
      connection: "close",
    },
  });
}
