import { changeCounts } from "@lynceus/db/change-counts";
import { inSnapshot } from "@lynceus/db/client";
import { getFleetChange, listChangeMachines } from "@lynceus/db/fleet-changes";
import { formatCount, formatDuration, formatTime, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import styles from "../../../../components/causes/causes.module.css";
import changes from "../../../../components/changes/changes.module.css";
import { beforeAfter, changeKindTitles, changeTitle } from "../../../../components/changes/words.ts";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { machineHref } from "../../../../components/machines/links.ts";
import { RememberZone } from "../../../../components/machines/remember-zone.tsx";
import { Chip } from "../../../../components/status/chip.tsx";
import { StatusLabel } from "../../../../components/status/status-label.tsx";
import { VerdictSentence } from "../../../../components/status/verdict-sentence.tsx";
import { requireRight } from "../../../../lib/session.ts";
import { viewerZone, zoneName } from "../../../../lib/zone.ts";

type Props = { params: Promise<{ id: string }>; searchParams: Promise<Record<string, unknown>> };

export const metadata: Metadata = { title: "Change" };

const pageSize = 100;

/** Who took a change, when, and how they are now. */
export default async function ChangePage({ params, searchParams }: Props) {
  const { fleet } = await requireRight("read");
  const { id } = await params;
  const { cursor } = await searchParams;
  const zone = await viewerZone();
  const page = await inSnapshot(fleet, async (db) => {
    const change = await getFleetChange(db, id);
    if (change === null) return null;
    return {
      change,
      counts: (await changeCounts(db, [id]))(id),
      machines: await listChangeMachines(db, id, {
        limit: pageSize,
        cursor: typeof cursor === "string" ? cursor : null,
      }),
    };
  });
  if (page === null) notFound();
  const { change, counts, machines } = page;
  const now = Date.parse(machines.asOf);
  const context = { now, zone };
  const fields = beforeAfter(change.text);
  const first = Date.parse(change.firstAt);
  const last = Date.parse(change.lastAt);
  return (
    <>
      <RememberZone zone={zone} />
      <PageHeader title={changeKindTitles[change.kind]} above={[{ title: "Changes", href: "/changes" }]} asOf={now} />
      <div className={styles.chips}>
        <Chip>{formatTime(first, context)}</Chip>
        {change.simulated ? <Chip>simulated</Chip> : null}
        <span>
          {last - first >= 60_000
            ? `First machine ${formatTime(first, context)}, last ${formatTime(last, context)}: ${formatDuration(last - first)}`
            : ""}{" "}
          {zoneName(zone, now)}
        </span>
      </div>
      <VerdictSentence
        next={
          change.machines === 0
            ? "Made for all machines."
            : `${formatCount(change.machines)} ${change.machines === 1 ? "machine" : "machines"} took it. ${
                counts.failing === 0 ? "None fails now." : `${formatCount(counts.failing)} of them fail now.`
              }`
        }
      >
        <bdi>{safeText(changeTitle(change), 1024)}</bdi>
      </VerdictSentence>
      <div className={styles.two} style={{ marginTop: 0 }}>
        <Panel title="Machines" sub="in the order in which they took it">
          {machines.items.length === 0 ? (
            <p className={styles.none}>No machine took it by itself.</p>
          ) : (
            <div className={styles.scroll}>
              <table className={styles.members}>
                <thead>
                  <tr>
                    <th scope="col">Machine</th>
                    <th scope="col" className={styles.wide}>
                      Site
                    </th>
                    <th scope="col">Took it</th>
                    <th scope="col">State now</th>
                  </tr>
                </thead>
                <tbody>
                  {machines.items.map((machine) => (
                    <tr key={machine.id}>
                      <td>
                        <Link className="mono" href={machineHref(machine.id)} prefetch={false}>
                          <bdi>{safeText(machine.hostname)}</bdi>
                        </Link>
                      </td>
                      <td className={styles.wide}>
                        <bdi>{machine.site === null ? "no site" : safeText(machine.site)}</bdi>
                      </td>
                      <td className="nowrap">{formatTime(Date.parse(machine.at), context)}</td>
                      <td>
                        <StatusLabel status={machine.status} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          {machines.nextCursor === null ? null : (
            <p className={styles.note}>
              <Link className="link" href={`/changes/${id}?cursor=${encodeURIComponent(machines.nextCursor)}`}>
                Next machines
              </Link>
            </p>
          )}
        </Panel>
        <div className={styles.stack}>
          {fields === null ? null : (
            <Panel title="Before and after">
              <dl className={changes.beforeAfter}>
                <dt>Setting</dt>
                <dd>
                  <bdi>{safeText(fields.what)}</bdi>
                </dd>
                <dt>Until then</dt>
                <dd data-side="before">
                  <bdi>{safeText(fields.before, 1024)}</bdi>
                </dd>
                <dt>Since then</dt>
                <dd data-side="after">
                  <bdi>{safeText(fields.after, 1024)}</bdi>
                </dd>
                {change.detail === null ? null : (
                  <>
                    <dt>Where</dt>
                    <dd>
                      <bdi>{safeText(change.detail, 1024)}</bdi>
                    </dd>
                  </>
                )}
              </dl>
            </Panel>
          )}
          <Panel title="How they are now">
            <ul className={styles.list}>
              {(
                [
                  ["failing", counts.failing],
                  ["healthy", counts.healthy],
                  ["stale", counts.stale],
                  ["cannot-tell", counts.cannotTell],
                  ["signed-off", counts.signedOff],
                ] as const
              ).map(([status, count]) => (
                <li key={status}>
                  <StatusLabel status={status} />
                  <b>{formatCount(count)}</b>
                </li>
              ))}
            </ul>
          </Panel>
        </div>
      </div>
    </>
  );
}
