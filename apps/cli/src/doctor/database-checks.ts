import type { DatabaseHealth } from "@lynceus/db/health";
import { formatCount, formatDuration } from "@lynceus/protocol/present";
import { formatBytes } from "../bytes.ts";
import { bad, type Check, ok, warning } from "./check.ts";

const dayMs = 86_400_000;
const oldestServer = 140_000;

function schemaCheck({ pending, unknown }: DatabaseHealth): Check {
  if (pending === null)
    return bad(
      "schema",
      "this database holds no Lynceus",
      "start a collector with --migrate on it, or restore a backup",
    );
  if (unknown.length > 0)
    return bad(
      "schema",
      `it belongs to a newer version: ${unknown.at(-1)} is not known here`,
      "use that version, or restore the backup made before it (docs/operations/upgrade.md)",
    );
  if (pending.length > 0)
    return bad(
      "schema",
      `${pending.length} migrations are missing, up to ${pending.at(-1)}`,
      "start the collector with --migrate",
    );
  return ok("schema", "as this version needs it");
}

/** Says what a database's figures mean. Pure. `now`: this machine's. */
export function databaseChecks(health: DatabaseHealth, now: number): Check[] {
  const { connections, versionNumber, partitionsUntil, jobsGivenUp, noticesDead, oldestTransactionSeconds } = health;
  const version = `${Math.floor(versionNumber / 10_000)}.${versionNumber % 10_000}`;
  const skew = Math.abs(health.now.getTime() - now);
  const checks: Check[] = [
    versionNumber < oldestServer
      ? bad("database", `PostgreSQL ${version} is too old`, "move to 14 or newer")
      : ok("database", `PostgreSQL ${version}, ${formatBytes(health.bytes)}`),
    schemaCheck(health),
    skew > 5_000
      ? warning("database clock", `it differs from this machine's by ${formatDuration(skew)}`, "set both by NTP")
      : ok("database clock", "the same as this machine's"),
    connections.used > 0.8 * connections.most
      ? warning(
          "connections",
          `${connections.used} of ${connections.most} are in use`,
          "raise max_connections, or look for who else holds them",
        )
      : ok("connections", `${connections.used} of ${connections.most} are in use`),
  ];
  if (health.pending !== null && health.pending.length === 0) {
    checks.push(
      partitionsUntil === null || partitionsUntil.getTime() < now + dayMs
        ? bad(
            "partitions",
            partitionsUntil === null
              ? "observations have no day to be stored in"
              : `they end ${partitionsUntil.toISOString().slice(0, 10)}`,
            "start a collector: it makes them a week ahead, each hour",
          )
        : ok("partitions", `made until ${partitionsUntil.toISOString().slice(0, 10)}`),
    );
    if (jobsGivenUp > 0)
      checks.push(
        warning("jobs", `${formatCount(jobsGivenUp)} were given up`, "the collector's log says why; look for job"),
      );
    if (noticesDead > 0)
      checks.push(
        warning(
          "notices",
          `${formatCount(noticesDead)} could not be delivered`,
          "the dashboard has them under Alerting, Notices, with the reason and a button to try again",
        ),
      );
  }
  if (oldestTransactionSeconds > 3_600)
    checks.push(
      warning(
        "transactions",
        `one has been open for ${formatDuration(oldestTransactionSeconds * 1_000)}`,
        "end it: until then no space is used again; pg_stat_activity names it",
      ),
    );
  return checks;
}
