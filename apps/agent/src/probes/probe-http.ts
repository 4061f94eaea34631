import { getOnce } from "./http.ts";
import { nothingReached, type Prober, portOf } from "./prober.ts";
import { reach } from "./reach.ts";

/** A page over plain http: the control that a captive portal cannot help answering (domain 5.0 rule 6). */
export const probeHttp: Prober = async (target, route, ctx) => {
  const port = portOf(target);
  const { socket, ...phases } = await reach(target.host, port, route, ctx, { plainHttp: true });
  if (!socket) return { ...nothingReached, ...phases };
  const http = await getOnce(
    socket,
    {
      host: target.host,
      port,
      scheme: "http",
      path: target.path ?? "/",
      accept: "*/*",
      // Without a tunnel behind a proxy it is the proxy that fetches.
      absolute: route.kind === "proxy" && phases.connect === null,
      untrusted: false,
    },
    ctx,
  );
  return { ...nothingReached, ...phases, http };
};
