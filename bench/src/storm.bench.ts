// 20,000 machines lose EWS behind one proxy within ten seconds: agents over the real protocol, two real collectors, a real
// receiver. Who is paged, how often and how soon; and what Debian's Alertmanager makes of the same machines.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { parseArgs } from "node:util";
import { saveAlerting } from "@lynceus/db/alerting";
import { countMachines } from "@lynceus/db/machines";
import { saveSiteSubnets } from "@lynceus/db/sites";
import { newSecretKey, parseKeyRing } from "@lynceus/notify/key-ring";
import { receiverSecretPlace, sealSecret } from "@lynceus/notify/sealed-secret";
import { alertingConfigSchema } from "@lynceus/protocol/alerting";
import type { Notice } from "@lynceus/protocol/notice";
import { buildPolicy } from "@lynceus/protocol/presets";
import { fixed, loadAverage, machineLine, table } from "./figures.ts";
import { install, root, startChild, stopChild } from "./installation.ts";
import { type Alert, startAlertmanager } from "./storm/alertmanager.ts";
import { company, proxiedSites, storms, subnets } from "./storm/company.ts";
import type { FromBench, ToBench } from "./storm/fleet.ts";

const { values } = parseArgs({
  options: {
    machines: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    /** How long nothing else may be sent after the page. */
    "quiet-seconds": { type: "string", default: "60" },
  },
});
/** Two of each, since a process here may open 20,000 files. */
const parts = 2;
const withinSeconds = 10;
const cycleSeconds = 20;
const limitMs = 15_000;
const storm = Number(values.machines);
const each = Math.ceil((storm / parts / storms) * company.length);
const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1000));
const say = (text: string) => process.stderr.write(`${text}\n`);

/** What a receiver got, and when. */
interface Got {
  readonly path: string;
  readonly at: number;
  readonly body: string;
}
const got: Got[] = [];
const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    got.push({ path: request.url ?? "", at: Date.now(), body: Buffer.concat(chunks).toString("utf8") });
    response.end();
  });
});
await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
const receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
const gotBy = (name: string) => got.filter((one) => one.path === `/${name}`);

// What an agent asks each cycle; targets that are sampled now and then say nothing here.
const preset = buildPolicy(
  { ews: ["mail.example.org"], smtpDomains: [], sipDomains: [], insideSuffixes: ["example.org"] },
  1,
);
const installation = await install({
  ...preset,
  targets: preset.targets.filter(({ cadence }) => cadence === "cycle"),
});
const { db } = installation;
const secretKey = newSecretKey();
await saveSiteSubnets(db, subnets, { actor: "bench" });
await saveAlerting(
  db,
  {
    baseVersion: 0,
    config: alertingConfigSchema.parse({
      receivers: [
        {
          type: "webhook",
          id: "pager",
          name: "Pager",
          settings: { url: `${receiverUrl}/pager`, connection: { reach: "loopback" } },
        },
      ],
      routes: [{ id: "all", name: "Everything", match: "simulated:yes", receivers: ["pager"] }],
    }),
    secrets: {
      pager: {
        signingSecret: sealSecret(
          parseKeyRing(secretKey),
          receiverSecretPlace("pager", "signingSecret"),
          `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
        ),
      },
    },
  },
  { actor: "bench", now: new Date() },
);

const fleets = await Promise.all(
  Array.from({ length: parts }, async (_, part) => {
    const collector = await installation.startCollector(17_451 + part, { secretKey });
    const { child } = await startChild(
      process.execPath,
      ["--import", "tsx", path.join(root, "bench/src/storm/fleet.ts"), String(each), `${values.seed}${part}`],
      { ...process.env, LYNCEUS_TOKEN: await installation.token(collector.url, each) },
      /^ready$/,
      { ipc: true },
    );
    const fleet = {
      child,
      connected: 0,
      lost: [] as ToBench["lost"],
      tell: (message: FromBench) => child.send(message),
    };
    child.on("message", ({ connected, lost }: ToBench) => {
      Object.assign(fleet, { connected, lost });
    });
    return fleet;
  }),
);
const all = each * parts;
const lostConnections = () => {
  const reasons = fleets.flatMap(({ lost }) => lost.map(([reason, count]) => `${fixed(count)} ${reason}`));
  return reasons.length === 0 ? "No connection lost" : `Connections lost: ${reasons.join(", ")}`;
};
const began = Date.now();
for (;;) {
  const { healthy } = await countMachines(db);
  const connected = fleets.reduce((sum, fleet) => sum + fleet.connected, 0);
  say(
    `${fixed((Date.now() - began) / 1000)} s: ${fixed(connected)} of ${fixed(all)} connected, ${fixed(healthy)} well`,
  );
  if (healthy === all) break;
  await seconds(5);
}
const load = loadAverage();

const lostAt = Date.now();
for (const fleet of fleets) fleet.tell({ lose: true });
// A finding needs two cycles, and one of the whole fleet as many since it was seen there: they go on as long as need be.
const cycle = () => {
  for (const fleet of fleets) fleet.tell({ check: withinSeconds });
};
cycle();
const cycles = setInterval(cycle, cycleSeconds * 1000);

const failing = () =>
  db.prisma.$queryRaw<{ failing: number; numbers: number; passed: Date | null }[]>`
    SELECT coalesce(max(failing), 0) AS failing, (count(*) FILTER (WHERE ended_at IS NULL))::int AS numbers,
      (SELECT min(since) FROM findings WHERE "primary") AS passed FROM incidents`;
let last = { failing: 0, numbers: 0, passed: null as Date | null };
let wholeAfterMs: number | null = null;
for (let waited = 0; waited < 240; waited += 5) {
  await seconds(5);
  const [row] = await failing();
  if (row) last = row;
  say(
    `${fixed((Date.now() - lostAt) / 1000)} s: ${fixed(last.failing)} in an incident, ${gotBy("pager").length} sent, ${lostConnections()}`,
  );
  if (last.failing < storm) continue;
  wholeAfterMs ??= Date.now() - lostAt;
  if (gotBy("pager").length > 0) break;
}
clearInterval(cycles);
await seconds(Number(values["quiet-seconds"]));
const [settled] = await failing();
if (settled) last = settled;
const pages = gotBy("pager");
const [first] = pages;
const page = first ? (JSON.parse(first.body) as Notice) : null;
const afterMs = first && last.passed ? first.at - last.passed.getTime() : Number.NaN;
for (const fleet of fleets) await stopChild(fleet.child);

// The same machines, each with its alert, in the same ten seconds.
const groupings = [["alertname", "site"], ["alertname"]] as const;
const alertmanager = await startAlertmanager(
  installation.directory,
  17_453,
  groupings.map((by) => ({ by, webhook: `${receiverUrl}/${by.join("-")}` })),
);
const batches = 100;
for (let batch = 0; batch < batches; batch++) {
  const alerts: Alert[] = [];
  for (let index = batch; index < storm; index += batches)
    alerts.push({
      alertname: "EwsUnreachable",
      instance: `pc-${index}`,
      site: proxiedSites[Math.floor(index / batches) % proxiedSites.length] as string,
      service: "ews",
    });
  await Promise.all([alertmanager.push(alerts), seconds(withinSeconds / batches)]);
}
await seconds(30 + 30);
await alertmanager.stop();
await installation.stop();
receiver.close();

process.stdout.write(
  `${machineLine()}; ${fixed(storm)} machines behind one proxy, ${fixed(all - storm)} beside it, ${load} (${loadAverage()} at the end)\n\n`,
);
process.stdout.write(
  `${table(
    ["storm", "pages"],
    [
      ...groupings.map((by) => [`Alertmanager, grouped by ${by.join(" and ")}`, fixed(gotBy(by.join("-")).length)]),
      ["Lynceus", fixed(pages.length)],
    ],
  )}\n`,
);
process.stdout.write(
  `\nThe page came ${fixed(afterMs / 1000, 1)} s after the first finding passed its hold time: "${page?.headline ?? "none"}". ` +
    `Open incidents: ${fixed(last.numbers)}, ${fixed(last.failing)} machines in the largest${wholeAfterMs === null ? "" : `, all of them after ${fixed(wholeAfterMs / 1000)} s`}. ${lostConnections()}.\n`,
);
// One page of a part of the storm proves nothing about the rest.
if (pages.length !== 1 || !(afterMs <= limitMs) || last.failing < storm || last.numbers !== 1) {
  process.stderr.write(
    `there is to be exactly one page within ${limitMs / 1000} s of the first finding, and one open incident with all ${fixed(storm)}\n`,
  );
  process.exit(1);
}
process.exit(0);
