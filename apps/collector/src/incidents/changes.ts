import { currentAlerting } from "@lynceus/db/alerting";
import type { Database } from "@lynceus/db/client";
import { type WideChange, wideChanges } from "@lynceus/db/fleet-changes";
import { addDeliveryJobs, type NewNotice } from "@lynceus/db/notices";
import type { AlertingConfig } from "@lynceus/protocol/alerting";
import { formatCount, safeText } from "@lynceus/protocol/present";
import { carriesKind } from "@lynceus/protocol/receivers";

const everyMs = 30_000;
/** A change that nobody was told of for so long is no news any more. */
const newsMs = 2 * 3_600_000;

/** What the receivers of changes are told of one; the same each time, so that it is stored and sent once. */
export function changeNotices(
  change: WideChange,
  config: AlertingConfig,
  by: { readonly dashboardUrl: string; readonly installation: string; readonly now: number },
): NewNotice[] {
  const { id, text, detail, machines, firstAt } = change;
  const shown = safeText(text, 200);
  const size = machines === 1 ? "1 machine" : `${formatCount(machines)} machines`;
  return config.settings.changeReceivers.flatMap((receiverId): NewNotice[] => {
    const receiver = config.receivers.find((one) => one.id === receiverId);
    if (!receiver || !carriesKind(receiver.type, "change")) return [];
    const key = `${by.installation}-change-${id}-${receiver.id}`;
    return [
      {
        key,
        incident: null,
        receiver: receiver.id,
        person: null,
        kind: "change",
        reason: "wide-change",
        urgency: "low",
        thread: key,
        body: {
          kind: "change",
          key,
          thread: key,
          at: new Date(by.now).toISOString(),
          headline: `${size}: ${shown}`.slice(0, 110),
          reason: `seen on ${size}`,
          incident: null,
          incidents: [],
          change: {
            text: shown,
            detail: detail === null ? null : safeText(detail, 500),
            machines,
            at: firstAt.toISOString(),
            url: `${by.dashboardUrl}/changes/${id}`,
          },
          acknowledgeUrl: null,
        },
      },
    ];
  });
}

/** Tells who wishes it of changes that many machines took. Only the collector that leads incidents looks. */
export function createChangeNotices(options: {
  readonly db: Database;
  readonly now: () => number;
  readonly installation: string;
  readonly dashboardUrl: () => string;
}) {
  const { db, installation } = options;
  let at = Number.NEGATIVE_INFINITY;
  return {
    async look(): Promise<void> {
      const now = options.now();
      if (now - at < everyMs) return;
      at = now;
      const { config } = await currentAlerting(db);
      const { changeReceivers, changeMachines } = config.settings;
      if (changeReceivers.length === 0) return;
      const changes = await wideChanges(db, { since: new Date(now - newsMs), machines: changeMachines });
      const notices = changes.flatMap((change) =>
        changeNotices(change, config, { dashboardUrl: options.dashboardUrl(), installation, now }),
      );
      if (notices.length > 0) await db.prisma.$transaction((prisma) => addDeliveryJobs({ prisma }, notices, now));
    },
  };
}
