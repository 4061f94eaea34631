import { changeFailing } from "@lynceus/db/change-counts";
import { inSnapshot } from "@lynceus/db/client";
import { listFleetChanges } from "@lynceus/db/fleet-changes";
import { formatCount } from "@lynceus/protocol/present";
import { changeKinds } from "@lynceus/protocol/read-api";
import type { Metadata } from "next";
import Link from "next/link";
import { ChangeList } from "../../../../components/changes/change-list.tsx";
import styles from "../../../../components/changes/changes.module.css";
import { changeKindTitles } from "../../../../components/changes/words.ts";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { StateBox } from "../../../../components/layout/state-box.tsx";
import { RememberZone } from "../../../../components/machines/remember-zone.tsx";
import { requireRight } from "../../../../lib/session.ts";
import { viewerZone, zoneName } from "../../../../lib/zone.ts";

export const metadata: Metadata = { title: "Changes" };

const pageSize = 50;

/** What changed on machines: settings, scripts, certificates, DNS answers, agents, policy. */
export default async function ChangesPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const { fleet } = await requireRight("read");
  const zone = await viewerZone();
  const { kind: asked, cursor } = await searchParams;
  const kind = changeKinds.find((one) => one === asked) ?? null;
  const { page, seen } = await inSnapshot(fleet, async (db) => {
    const page = await listFleetChanges(db, {
      limit: pageSize,
      cursor: typeof cursor === "string" ? cursor : null,
      ...(kind === null ? {} : { kinds: [kind] }),
    });
    const failing = await changeFailing(
      db,
      page.items.map((change) => change.id),
    );
    return { page, seen: page.items.map((change) => ({ change, failing: failing(change.id) })) };
  });
  const now = Date.parse(page.asOf);
  const href = (of: string | null, next?: string) => {
    const query = new URLSearchParams();
    if (of !== null) query.set("kind", of);
    if (next !== undefined) query.set("cursor", next);
    return query.size === 0 ? "/changes" : `/changes?${query}`;
  };
  return (
    <>
      <RememberZone zone={zone} />
      <PageHeader title="Changes" asOf={now} />
      <h1 className="vh">Changes</h1>
      <nav className={styles.kinds} aria-label="Kinds of changes">
        {[null, ...changeKinds].map((one) => (
          <Link key={one ?? "all"} href={href(one)} aria-current={one === kind ? "page" : undefined}>
            {one === null ? "All" : changeKindTitles[one]}
          </Link>
        ))}
      </nav>
      <Panel
        title="What changed"
        sub={`the same change on many machines is one; ${zoneName(zone, now)}`}
        more={page.total === 0 ? undefined : `${formatCount(page.total)}${page.total >= 1_000 ? " or more" : ""}`}
      >
        {seen.length === 0 ? (
          <div style={{ padding: "0 14px 14px" }}>
            <StateBox title="No change was seen yet.">
              A change shows here when a machine's settings, script, certificate, DNS answer or agent differ from what
              it had before.
            </StateBox>
          </div>
        ) : (
          <ChangeList changes={seen} now={now} zone={zone} />
        )}
      </Panel>
      {page.nextCursor === null ? null : (
        <p style={{ marginTop: 10 }}>
          <Link className="link" href={href(kind, page.nextCursor)}>
            Older changes
          </Link>
        </p>
      )}
    </>
  );
}
