import { type AlertingConfig, defaultAlerting, parseAlerting } from "@lynceus/protocol/alerting";
import { writeAudit } from "./audit.ts";
import type { Database, Reader } from "./client.ts";
import type { By } from "./machines-admin.ts";
import { toSqlJson } from "./sql-text.ts";

/*
 * The alerting configuration: numbered versions, the highest in force; and the receivers' secrets, sealed, apart from it.
 */

export interface StoredAlertingConfig {
  /** 0: nobody saved one yet, and the default is in force. */
  version: number;
  config: AlertingConfig;
  createdAt: Date | null;
  createdBy: string | null;
  note: string;
}

/** Somebody else saved meanwhile: what was edited was not what is in force. */
export class AlertingConflictError extends Error {
  override readonly name = "AlertingConflictError";
  readonly version: number;
  constructor(version: number) {
    super(`version ${version} was saved meanwhile; load it, and make the change again`);
    this.version = version;
  }
}

const lockKey = 72_707_395;

interface Row {
  version: number;
  body: unknown;
  createdAt: Date;
  createdBy: string;
  note: string;
}

/** Rows are written by `saveAlerting` alone. What an older version wrote is read by today's rules, defaults filled in. */
function toStored({ body, ...row }: Row): StoredAlertingConfig {
  const { config, problems } = parseAlerting(body);
  if (!config)
    throw new Error(
      `version ${row.version} of the alerting configuration cannot be read: ${problems[0]?.path}: ${problems[0]?.message}`,
    );
  return { ...row, config };
}

/** The configuration in force. */
export async function currentAlerting(db: Reader): Promise<StoredAlertingConfig> {
  const row = await db.prisma.alertingConfig.findFirst({ orderBy: { version: "desc" } });
  return row ? toStored(row) : { version: 0, config: defaultAlerting, createdAt: null, createdBy: null, note: "" };
}

/** The version in force; 0 before the first. */
export async function alertingVersion(db: Reader): Promise<number> {
  const row = await db.prisma.alertingConfig.findFirst({ orderBy: { version: "desc" }, select: { version: true } });
  return row?.version ?? 0;
}

/** One version, or null. */
export async function getAlerting(db: Reader, version: number): Promise<StoredAlertingConfig | null> {
  const row = await db.prisma.alertingConfig.findUnique({ where: { version } });
  return row ? toStored(row) : null;
}

/** Every version without its body, the newest first. */
export function listAlerting(db: Reader): Promise<Omit<Row, "body">[]> {
  return db.prisma.alertingConfig.findMany({ omit: { body: true }, orderBy: { version: "desc" }, take: 200 });
}

export interface AlertingChange {
  readonly config: AlertingConfig;
  /** The version that was edited. */
  readonly baseVersion: number;
  readonly note?: string;
  /** Sealed secrets by receiver and name; null takes one away. */
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string | null>>>>;
}

/**
 * Saves a configuration as the next version, with secrets that were set or taken away. Secrets of receivers that are no
 * longer there go. Throws an AlertingConflictError where another version was saved since `baseVersion`. Audited with what
 * was before and after; of secrets the names alone.
 */
export function saveAlerting(db: Database, change: AlertingChange, by: By): Promise<StoredAlertingConfig> {
  return db.prisma.$transaction(async (prisma) => {
    await prisma.$executeRaw`SELECT pg_advisory_xact_lock(${lockKey})`;
    const before = await currentAlerting({ prisma });
    if (before.version !== change.baseVersion) throw new AlertingConflictError(before.version);
    const { config, note = "" } = change;
    const row = await prisma.alertingConfig.create({
      data: {
        version: before.version + 1,
        body: JSON.parse(toSqlJson(config)),
        createdAt: by.now,
        createdBy: by.actor,
        note,
      },
    });
    for (const [receiver, secrets] of Object.entries(change.secrets ?? {}))
      for (const [name, sealed] of Object.entries(secrets))
        if (sealed === null) await prisma.receiverSecret.deleteMany({ where: { receiver, name } });
        else
          await prisma.receiverSecret.upsert({
            where: { receiver_name: { receiver, name } },
            create: { receiver, name, sealed, updatedAt: by.now },
            update: { sealed, updatedAt: by.now },
          });
    // A receiver that comes again under the same id does not find the secrets of another.
    await prisma.receiverSecret.deleteMany({
      where: { receiver: { notIn: [...config.receivers.map(({ id }) => id), "-heartbeat"] } },
    });
    await writeAudit(
      { prisma },
      {
        actor: by.actor,
        action: "alerting.save",
        subject: String(row.version),
        before: before.config,
        after: {
          ...config,
          ...(change.secrets && {
            secrets: Object.fromEntries(Object.entries(change.secrets).map(([id, one]) => [id, Object.keys(one)])),
          }),
        },
      },
    );
    await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
    return toStored(row);
  });
}

/** Names of the secrets that are set, by receiver. */
export async function secretNames(db: Reader): Promise<Record<string, string[]>> {
  const rows = await db.prisma.receiverSecret.findMany({
    select: { receiver: true, name: true },
    orderBy: [{ receiver: "asc" }, { name: "asc" }],
  });
  const names: Record<string, string[]> = {};
  for (const { receiver, name } of rows) names[receiver] = [...(names[receiver] ?? []), name];
  return names;
}

/** Sealed secrets of one receiver by name. */
export async function sealedSecrets(db: Reader, receiver: string): Promise<Record<string, string>> {
  const rows = await db.prisma.receiverSecret.findMany({ where: { receiver } });
  return Object.fromEntries(rows.map(({ name, sealed }) => [name, sealed]));
}
