import { type CauseSpread, causeSpread } from "@lynceus/db/cause-spread";
import { getCause, listCauseMembers, readAttributions } from "@lynceus/db/causes";
import { inSnapshot } from "@lynceus/db/client";
import type { FleetReader } from "@lynceus/db/scope";
import { listVerifications } from "@lynceus/db/verifications";
import { textsOf } from "@lynceus/diagnosis/texts";
import { allows } from "@lynceus/protocol/access";
import { formatCount, formatTime, safeText } from "@lynceus/protocol/present";
import type { Cause, CauseMember } from "@lynceus/protocol/read-api";
import Link from "next/link";
import { Candidates } from "../../../../components/causes/candidates.tsx";
import { CauseSentence } from "../../../../components/causes/cause-sentence.tsx";
import styles from "../../../../components/causes/causes.module.css";
import { fixOf } from "../../../../components/causes/fix.ts";
import { Misfits } from "../../../../components/causes/misfits.tsx";
import { PrecedingChange } from "../../../../components/causes/preceding-change.tsx";
import { VerifyFix } from "../../../../components/causes/verify-fix.tsx";
import {
  chanceText,
  keyTitles,
  locationWords,
  sharedTerm,
  subjectOf,
  valueText,
} from "../../../../components/causes/words.ts";
import { ChartPanel } from "../../../../components/charts/chart-panel.tsx";
import { type ChartEvent, StepChart } from "../../../../components/charts/step-chart.tsx";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { FixPanel } from "../../../../components/machine/fix-panel.tsx";
import { machineHref, machinesHref } from "../../../../components/machines/links.ts";
import { RememberZone } from "../../../../components/machines/remember-zone.tsx";
import { Chip } from "../../../../components/status/chip.tsx";
import { StatusLabel } from "../../../../components/status/status-label.tsx";
import { StatusMark } from "../../../../components/status/status-mark.tsx";
import { requireRight } from "../../../../lib/session.ts";
import { verificationAnswer } from "../../../../lib/verification-answer.ts";
import { viewerZone, zoneName } from "../../../../lib/zone.ts";

const shownMembers = 100;

/** What do the failing machines share, what changed before, does the fix work? */
export async function CauseView({ id }: { id: string }) {
  const { access, fleet } = await requireRight("read");
  const zone = await viewerZone();
  const page = await inSnapshot(fleet, async (db) => {
    const cause = await getCause(db, id);
    if (cause === null) return null;
    const [moment] = await db.prisma.$queryRaw<{ asOf: Date }[]>`SELECT now() AS "asOf"`;
    const attributions = await readAttributions(db, { simulated: cause.simulated });
    return {
      cause,
      now: (moment?.asOf ?? new Date()).getTime(),
      attribution: attributions.find((one) => one.location === cause.location) ?? null,
      members: await listCauseMembers(db, id, { limit: shownMembers }),
      spread: await causeSpread(db, id),
      verification: await latestVerification(db, id),
    };
  });
  if (page === null) return null;
  const { cause, now, attribution, members, spread, verification } = page;
  const context = { now, zone };
  const open = cause.clearedAt === null;
  const zoneText = zoneName(zone, now);
  const shared = sharedTerm(cause);
  const texts = spread.findings[0] ? textsOf(spread.findings[0].pattern) : null;
  const candidates = open && attribution ? attribution.candidates : [cause];

  return (
    <>
      <RememberZone zone={zone} />
      <PageHeader
        title={<bdi>{subjectOf(cause)}</bdi>}
        above={[{ title: "Incidents", href: "/incidents" }]}
        {...(open ? { asOf: now } : {})}
      />
      <div className={styles.chips}>
        <Chip tone={open ? "bad" : "plain"}>
          <StatusMark status={open ? "failing" : "signed-off"} size={10} />
          {open
            ? `Named ${formatTime(Date.parse(cause.since), context)}`
            : `Held until ${formatTime(Date.parse(cause.clearedAt ?? ""), context)}`}
        </Chip>
        {cause.firstSeen === null ? null : (
          <Chip>First failure {formatTime(Date.parse(cause.firstSeen), context)}</Chip>
        )}
        <Chip>Confidence {cause.confidence}</Chip>
        {cause.simulated ? <Chip>simulated</Chip> : null}
        <span>
          <bdi>
            {keyTitles[cause.key]} {valueText(cause)} · machines {locationWords[cause.location]} ·{" "}
            {chanceText(cause.logP)} · {zoneText}
          </bdi>
        </span>
      </div>
      <CauseSentence cause={cause} fix={fixOf(spread.findings)} now={now} zone={zone} />
      <div className={styles.two} style={{ marginTop: 0 }}>
        <Candidates
          candidates={candidates}
          named={cause}
          failing={attribution?.failing ?? cause.of}
          healthy={attribution?.healthy ?? cause.healthyWith + cause.healthyWithout + cause.healthyUnknown}
          sub={`as of ${formatTime(Date.parse(cause.updatedAt), context)}`}
          note={
            cause.also.length === 0
              ? null
              : `The same machines also share: ${cause.also.map((one) => `${keyTitles[one.key].toLowerCase()} ${valueText(one)}`).join(", ")}. The more specific one is named.`
          }
        />
        <VerifyFix
          cohort={{ causeId: cause.id }}
          members={open ? cause.explains : 0}
          first={verification}
          allowed={allows(access, "operate")}
          now={now}
          zone={zone}
        />
      </div>
      <div className={styles.two}>
        <div className={styles.stack}>
          <PrecedingChange cause={cause} now={now} zone={zone} />
          <Spread cause={cause} spread={spread} now={now} zone={zone} zoneText={zoneText} />
        </div>
        <FixPanel
          texts={texts}
          none={open ? "Its machines have no finding that says a step." : "No machine has it any more."}
        />
      </div>
      <div className={styles.two}>
        <Members
          members={members.items}
          total={members.total}
          now={now}
          zone={zone}
          href={shared === null || !open ? null : machinesHref("status:failing", shared)}
        />
        <div className={styles.stack}>
          <Misfits cause={cause} />
          <Sites spread={spread} />
        </div>
      </div>
    </>
  );
}

async function latestVerification(db: FleetReader, causeId: string) {
  const [newest] = await listVerifications(db, { causeId, limit: 1 });
  return newest === undefined ? null : verificationAnswer(db, newest.id);
}

function Spread(props: { cause: Cause; spread: CauseSpread; now: number; zone: string; zoneText: string }) {
  const { cause, spread, now, zone, zoneText } = props;
  const context = { now, zone };
  const end = cause.clearedAt === null ? now : Date.parse(cause.clearedAt);
  const last = spread.points.at(-1)?.machines ?? 0;
  const peak = Math.max(0, ...spread.points.map((point) => point.machines));
  const start = Math.min(
    ...[
      spread.points[0]?.at.getTime(),
      cause.firstSeen && Date.parse(cause.firstSeen),
      cause.change && Date.parse(cause.change.at),
    ]
      .filter((at): at is number => typeof at === "number")
      .concat(end - 3_600_000),
  );
  const points = [
    { at: start - 60_000, machines: 0 },
    ...spread.points.map((point) => ({ at: point.at.getTime(), machines: point.machines })),
    { at: end, machines: last },
  ].filter((point, i, all) => i === 0 || point.at > (all[i - 1]?.at ?? 0));
  const events: ChartEvent[] = [
    ...(cause.change === null
      ? []
      : [
          {
            at: Date.parse(cause.change.at) / 1000,
            label: `${formatTime(Date.parse(cause.change.at), context)} change`,
          },
        ]),
  ];
  return (
    <ChartPanel
      title="Spread"
      subtitle={`machines it explains, peak ${formatCount(peak)}; ${zoneText}`}
      name={`lynceus-cause-${cause.id}`}
      table={{
        columns: ["Since", "Machines"],
        rows: [...spread.points]
          .reverse()
          .map((point) => [formatTime(point.at.getTime(), context), formatCount(point.machines)]),
      }}
    >
      <StepChart
        times={points.map((point) => point.at / 1000)}
        series={[{ label: "explained", tone: "bad-fill", filled: true, values: points.map((point) => point.machines) }]}
        events={events}
        zone={zone}
        height={190}
        sentence={`Machines explained by this cause: ${formatCount(last)} now, ${formatCount(peak)} at most.`}
      />
    </ChartPanel>
  );
}

function Members(props: {
  members: readonly CauseMember[];
  total: number;
  now: number;
  zone: string;
  href: string | null;
}) {
  const { members, total, now, zone, href } = props;
  return (
    <Panel
      title="Members"
      id="members"
      sub={`${formatCount(total)} ${total === 1 ? "machine" : "machines"}`}
      more={
        href === null ? undefined : (
          <Link className="link" href={href}>
            Open as machine list →
          </Link>
        )
      }
    >
      {members.length === 0 ? (
        <p className={styles.none}>No machine has it now.</p>
      ) : (
        <div className={styles.scroll}>
          <table className={styles.members}>
            <thead>
              <tr>
                <th scope="col">Machine</th>
                <th scope="col" className={styles.wide}>
                  Site
                </th>
                <th scope="col">Joined</th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {members.map((member) => (
                <tr key={member.id}>
                  <td>
                    <Link className="mono" href={machineHref(member.id)} prefetch={false}>
                      <bdi>{safeText(member.hostname)}</bdi>
                    </Link>
                  </td>
                  <td className={styles.wide}>
                    <bdi>{member.site === null ? "no site" : safeText(member.site)}</bdi>
                  </td>
                  <td className="nowrap">{formatTime(Date.parse(member.since), { now, zone })}</td>
                  <td>
                    <StatusLabel status={member.status} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {total > members.length ? (
        <p className={styles.note}>
          The first {formatCount(members.length)} of {formatCount(total)}.
        </p>
      ) : null}
    </Panel>
  );
}

function Sites({ spread }: { spread: CauseSpread }) {
  return (
    <>
      <Panel title="Where" sub="of the machines that report at each site">
        <ul className={styles.list}>
          {spread.sites.length === 0 ? <li>No machine has it now.</li> : null}
          {spread.sites.slice(0, 12).map((site) => (
            <li key={site.site ?? ""}>
              <bdi>{site.site === null ? "no site" : safeText(site.site)}</bdi>
              <span>
                <b>{formatCount(site.machines)}</b> <small>of {formatCount(site.reporting)}</small>
              </span>
            </li>
          ))}
        </ul>
      </Panel>
      <Panel title="Their findings" sub="each machine under its primary finding">
        <ul className={styles.list}>
          {spread.findings.length === 0 ? <li>None holds now.</li> : null}
          {spread.findings.map((finding) => (
            <li key={`${finding.pattern} ${finding.cause}`}>
              <span>
                <bdi>{safeText(finding.cause)}</bdi>{" "}
                <small>
                  <Link href={`/patterns/${finding.pattern}`}>{finding.pattern}</Link>
                </small>
              </span>
              <b>{formatCount(finding.machines)}</b>
            </li>
          ))}
        </ul>
      </Panel>
    </>
  );
}
