import type { Target } from "@lynceus/protocol/policy";
import { probeHttp } from "./probe-http.ts";
import { probeHttps } from "./probe-https.ts";
import { probeSrv } from "./probe-srv.ts";
import { probeTcp } from "./probe-tcp.ts";
import { probeTls } from "./probe-tls.ts";
import type { Prober } from "./prober.ts";

/** The prober of each kind of target. */
export const probers: Readonly<Record<Target["kind"], Prober>> = {
  https: probeHttps,
  http: probeHttp,
  tcp: probeTcp,
  tls: probeTls,
  srv: probeSrv,
};
