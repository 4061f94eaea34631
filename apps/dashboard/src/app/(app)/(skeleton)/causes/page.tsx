import { listCauses, readAttributions } from "@lynceus/db/causes";
import { inSnapshot } from "@lynceus/db/client";
import { formatCount, formatTime } from "@lynceus/protocol/present";
import type { Cause } from "@lynceus/protocol/read-api";
import type { Metadata } from "next";
import Link from "next/link";
import { CauseList } from "../../../../components/causes/cause-list.tsx";
import styles from "../../../../components/causes/causes.module.css";
import { causeSubject, noCauseText } from "../../../../components/causes/words.ts";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { RememberZone } from "../../../../components/machines/remember-zone.tsx";
import { Chip } from "../../../../components/status/chip.tsx";
import { requireRight } from "../../../../lib/session.ts";
import { viewerZone, zoneName } from "../../../../lib/zone.ts";

export const metadata: Metadata = { title: "Causes" };

/** What failing machines share and healthy ones do not: now, and before. */
export default async function CausesPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const { fleet } = await requireRight("read");
  const zone = await viewerZone();
  const { cursor } = await searchParams;
  const { attributions, past } = await inSnapshot(fleet, async (db) => ({
    attributions: await readAttributions(db),
    past: await listCauses(db, { open: false, limit: 50, cursor: typeof cursor === "string" ? cursor : null }),
  }));
  const now = Date.parse(past.asOf);
  return (
    <>
      <RememberZone zone={zone} />
      <PageHeader title="Causes" asOf={now} />
      <h1 className="vh">Causes</h1>
      <div className={styles.stack}>
        <Panel title="Now" sub="what failing machines share and healthy ones do not">
          <CauseList attributions={attributions} now={now} zone={zone} />
          {attributions.some((one) => one.noCause !== null && one.failing > 0) ? (
            <p className={styles.note}>
              {attributions
                .filter((one) => one.noCause !== null && one.failing > 0)
                .map((one) => noCauseText(one))
                .join(" ")}
            </p>
          ) : null}
        </Panel>
        <Panel title="Before" sub={`causes that hold no longer; ${zoneName(zone, now)}`}>
          {past.items.length === 0 ? (
            <p className={styles.none}>None yet.</p>
          ) : (
            <ul className={styles.list}>
              {past.items.map((cause) => (
                <Past key={cause.id} cause={cause} now={now} zone={zone} />
              ))}
            </ul>
          )}
          {past.nextCursor === null ? null : (
            <p className={styles.note}>
              <Link className="link" href={`/causes?cursor=${encodeURIComponent(past.nextCursor)}`}>
                Older causes
              </Link>
            </p>
          )}
        </Panel>
      </div>
    </>
  );
}

function Past({ cause, now, zone }: { cause: Cause; now: number; zone: string }) {
  const time = (at: string | null) => formatTime(at === null ? null : Date.parse(at), { now, zone });
  return (
    <li>
      <span>
        <Link href={`/causes/${cause.id}`}>
          <bdi>{causeSubject(cause, { now, zone })}</bdi>
        </Link>{" "}
        <small>
          explained {formatCount(cause.explains)} of {formatCount(cause.of)}
        </small>{" "}
        {cause.simulated ? <Chip>simulated</Chip> : null}
      </span>
      <small>
        {time(cause.since)} to {time(cause.clearedAt)}
      </small>
    </li>
  );
}
