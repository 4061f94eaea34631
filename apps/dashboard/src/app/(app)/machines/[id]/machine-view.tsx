import { inSnapshot } from "@lynceus/db/client";
import { listFindings } from "@lynceus/db/findings";
import { changesBefore } from "@lynceus/db/fleet-changes";
import { incidentsOfMachine } from "@lynceus/db/incidents";
import { countMachines, getMachine } from "@lynceus/db/machines";
import { listNotes } from "@lynceus/db/notes";
import { hoursOfProbes, listObservations, verdictHistory } from "@lynceus/db/observations";
import { policyOfMachine } from "@lynceus/db/policy-rollout";
import { listReports } from "@lynceus/db/reports";
import { listTimeline } from "@lynceus/db/timeline";
import { serviceName } from "@lynceus/diagnosis/changes";
import { textsOf } from "@lynceus/diagnosis/texts";
import { ticketText } from "@lynceus/diagnosis/ticket";
import { allows } from "@lynceus/protocol/access";
import type { ProbeFacts } from "@lynceus/protocol/facts";
import { parseFilter } from "@lynceus/protocol/filter";
import type { Policy } from "@lynceus/protocol/policy";
import { formatCount, formatDuration, formatLatency, formatTime, safeText } from "@lynceus/protocol/present";
import type { MachineFacts } from "@lynceus/protocol/state";
import Link from "next/link";
import { ChartPanel } from "../../../../components/charts/chart-panel.tsx";
import { RangeLinks } from "../../../../components/charts/range-links.tsx";
import { StateStrips } from "../../../../components/charts/state-strips.tsx";
import { StepChart } from "../../../../components/charts/step-chart.tsx";
import { EvidenceChain } from "../../../../components/evidence-chain/evidence-chain.tsx";
import { incidentHref } from "../../../../components/incidents/words.ts";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { type AnswerTimes, answerTable, answerTimes, probeKeys } from "../../../../components/machine/answer-times.ts";
import { DiffPanel } from "../../../../components/machine/diff-panel.tsx";
import { FindingsPanel } from "../../../../components/machine/findings-panel.tsx";
import { FixPanel } from "../../../../components/machine/fix-panel.tsx";
import { lanesOf, notesOf, slotOf, targetTabs } from "../../../../components/machine/lanes.ts";
import styles from "../../../../components/machine/machine.module.css";
import { NotesPanel } from "../../../../components/machine/notes-panel.tsx";
import { ProbeNow } from "../../../../components/machine/probe-now.tsx";
import { sentenceRuns } from "../../../../components/machine/sentence.ts";
import { settingsDiff } from "../../../../components/machine/settings-diff.ts";
import { SettingsPanel } from "../../../../components/machine/settings-panel.tsx";
import { stripsOf, stripTable, timeTicks } from "../../../../components/machine/strips.ts";
import { TargetKeys } from "../../../../components/machine/target-keys.tsx";
import { TicketButtons } from "../../../../components/machine/ticket-buttons.tsx";
import { Timeline } from "../../../../components/machine/timeline.tsx";
import { machineHref, machinesHref, term } from "../../../../components/machines/links.ts";
import { RememberZone } from "../../../../components/machines/remember-zone.tsx";
import { systemText } from "../../../../components/machines/row-view.ts";
import { ReportButton } from "../../../../components/reports/report-button.tsx";
import { ReportsPanel } from "../../../../components/reports/reports-panel.tsx";
import { Banner } from "../../../../components/status/banner.tsx";
import { Chip, type ChipTone } from "../../../../components/status/chip.tsx";
import { StatusMark, statusWords } from "../../../../components/status/status-mark.tsx";
import { environment } from "../../../../lib/env.ts";
import { requireRight } from "../../../../lib/session.ts";
import { viewerZone, zoneName } from "../../../../lib/zone.ts";

const hourMs = 3_600_000;
/** Spans that the charts can show. */
const ranges = { "6h": 6 * hourMs, "24h": 24 * hourMs, "7d": 168 * hourMs, "30d": 720 * hourMs } as const;
type RangeName = keyof typeof ranges;
const isRange = (name: unknown): name is RangeName => typeof name === "string" && Object.hasOwn(ranges, name);
/** What is usual is said over seven days. */
const usualMs = ranges["7d"];

const tones: Record<string, ChipTone> = { failing: "bad", healthy: "ok", stale: "stale", "cannot-tell": "unknown" };

/** Why this one, and what do I tell the user? */
export async function MachineView({ id, search }: { id: string; search: Record<string, unknown> }) {
  const { access, email, fleet } = await requireRight("read");
  const zone = await viewerZone();
  const rangeName: RangeName = isRange(search.range) ? search.range : "6h";
  const historyMs = ranges[rangeName];
  const page = await inSnapshot(fleet, async (db) => {
    const machine = await getMachine(db, id);
    if (machine === null) return null;
    const [moment] = await db.prisma.$queryRaw<{ asOf: Date }[]>`SELECT now() AS "asOf"`;
    const now = (moment?.asOf ?? new Date()).getTime();
    const configurations = configurationsOf(machine.facts.settings?.facts ?? null, machine.facts.probes);
    const asked = typeof search.configuration === "string" ? search.configuration : null;
    const worst = machine.diagnosis.findings.find((f) => f.primary)?.configurations[0] ?? null;
    const configuration =
      [asked, worst].find((c) => c !== null && configurations.some((known) => known.id === c)) ??
      configurations[0]?.id ??
      "";
    const pac = machine.facts.pac[configuration];
    const policy = await policyOfMachine(db, id);
    const target = targetOf(machine.facts, policy, configuration, search.target);
    const keys = target === null ? [] : probeKeys(machine.facts, configuration, target);
    const sameScript = pac?.facts.sha256
      ? await countMachines(db, { terms: parseFilter(term("pac", pac.facts.sha256), { now, zone }).terms })
      : null;
    const found = machine.diagnosis.findings.find((f) => f.primary) ?? null;
    const causeQuery =
      found && machine.status === "failing"
        ? [term("status", "failing"), term("primary", found.pattern), term("cause", found.cause)].join(" ")
        : null;
    const sameCause =
      causeQuery === null
        ? null
        : {
            query: causeQuery,
            machines: (await countMachines(db, { terms: parseFilter(causeQuery, { now, zone }).terms })).failing,
          };
    const failing = machine.status === "failing" && machine.since !== null ? new Date(machine.since) : null;
    return {
      machine,
      before: await changesBefore(db, id, failing ?? new Date(now)),
      incidents: (await incidentsOfMachine(db, id)).filter(({ endedAt }) => endedAt === null),
      reports: await listReports(db, { machineId: id, limit: 20 }),
      sameCause,
      now,
      configuration,
      configurations,
      sameScript,
      policy,
      target,
      hours: await hoursOfProbes(db, id, keys, new Date(now - Math.max(historyMs, usualMs))),
      notes: await listNotes(db, id),
      timeline: await listTimeline(db, id, { limit: search.timeline === "all" ? 500 : 12 }),
      findings: await listFindings(db, { machineId: id, limit: 20 }),
      history: await verdictHistory(db, id, new Date(now - historyMs)),
      earlier: await listObservations(db, id, { kind: "probe", limit: 200 }),
    };
  });
  if (page === null) return null;
  const { machine, now, configuration, configurations, policy, target } = page;
  const { facts, diagnosis } = machine;
  const context = { now, zone };
  const time = (at: number) => formatTime(at, context);
  const primary = diagnosis.findings.find((finding) => finding.primary) ?? null;
  const failing = machine.status === "failing";
  const stale = machine.status === "stale" || machine.status === "signed-off";
  const since = machine.since === null ? null : Date.parse(machine.since);
  const seenAt = machine.lastSeenAt === null ? null : Date.parse(machine.lastSeenAt);
  const system = facts.system?.facts ?? null;

  const tabs = targetTabs(facts, policy, configuration);
  const slot =
    target === null
      ? null
      : (slotOf(facts, configuration, target, "configured") ?? slotOf(facts, configuration, target, "direct"));
  const laneContext = { facts, policy, configuration, status: machine.status, now, zone };
  const lanes = target === null ? [] : lanesOf(target, laneContext);
  const texts = primary ? textsOf(primary.pattern) : null;
  const oneConfiguration = configurations.length < 2;
  const href = (over: { target?: string; configuration?: string; range?: RangeName }) => {
    const query = new URLSearchParams();
    const c = over.configuration ?? (oneConfiguration ? null : configuration);
    if (c) query.set("configuration", c);
    const t = over.target ?? (over.configuration ? null : target);
    if (t) query.set("target", t);
    const r = over.range ?? rangeName;
    if (r !== "6h") query.set("range", r);
    return `${machineHref(id)}?${query}`;
  };
  const raw = slot && slot.seq > 0 ? `${machineHref(id)}/probes/${slot.seq}` : null;

  const failedAt = failing
    ? slot && slot.facts.via === "configured" && primary
      ? Math.min(slot.verdictSince, since ?? now)
      : since
    : null;
  const probesBefore = (at: number): ProbeFacts[] => {
    const seen = new Map<string, ProbeFacts>();
    for (const row of page.earlier.items) {
      const probe = row.facts as ProbeFacts;
      if (
        row.raw ||
        Date.parse(row.observedAt) >= at ||
        probe.configuration !== configuration ||
        probe.via !== "configured"
      )
        continue;
      if (!tabs.some((tab) => tab.id === probe.target) || seen.has(probe.target)) continue;
      seen.set(probe.target, probe);
    }
    return [...seen.values()];
  };
  const firstDiff = settingsDiff({ facts, configuration, failedAt, now });
  const diff =
    firstDiff &&
    settingsDiff({ facts, configuration, failedAt, now, previousProbes: probesBefore(firstDiff.changedAt) });
  const range = { from: now - historyMs, to: now };
  const targets = [...tabs.map((tab) => tab.id)];
  const strips = stripsOf({
    history: page.history,
    facts,
    policy,
    configuration,
    targets,
    range,
    context: { now, zone, seenAt: stale ? seenAt : null },
  });
  const events =
    diff && diff.changedAt > range.from
      ? [{ at: (diff.changedAt - range.from) / historyMs, label: `${time(diff.changedAt)} changed` }]
      : [];
  const answers =
    target === null ? null : answerTimes({ facts, hours: page.hours, configuration, target, policy, range });
  const rangeLinks = (
    <RangeLinks
      ranges={Object.keys(ranges)
        .filter(isRange)
        .map((name) => ({ name, href: href({ range: name }) }))}
      current={rangeName}
    />
  );
  const others = page.sameScript
    ? page.sameScript.healthy +
      page.sameScript.failing +
      page.sameScript.stale +
      page.sameScript.cannotTell +
      page.sameScript.signedOff -
      1
    : null;
  const zoneText = zoneName(zone, now);
  const skew = machine.clockSkewMs;
  const proof = slot ? slot.at : seenAt;

  return (
    <>
      <RememberZone zone={zone} />
      <TargetKeys targets={tabs.slice(0, 6).map((tab) => href({ target: tab.id }))} raw={raw} />
      <PageHeader
        title={
          <span className="mono" style={{ fontSize: 13 }}>
            <bdi>{safeText(machine.hostname)}</bdi>
          </span>
        }
        above={[{ title: "Machines", href: "/machines" }]}
      >
        <span className={styles.observed}>
          {seenAt === null
            ? "never observed"
            : `Observed ${formatDuration(Math.max(0, now - seenAt))} ago · ${time(seenAt)} ${zoneText}`}
        </span>
        <TicketButtons
          ticket={ticketText(machine, { now, link: new URL(machineHref(id), environment().publicUrl).href })}
        />
        <ReportButton />
        <ProbeNow
          machineId={id}
          allowed={allows(access, "operate") && machine.connected && machine.revokedAt === null}
          why={
            machine.revokedAt !== null
              ? "This machine was revoked."
              : !machine.connected
                ? "Not connected: it cannot be asked now."
                : "Your role may not ask machines to probe."
          }
        />
      </PageHeader>
      <div className={styles.chips}>
        <Chip tone={tones[machine.status] ?? "plain"}>
          <StatusMark status={machine.status} size={10} />
          {statusWords[machine.status]}
          {since === null ? "" : ` since ${time(since)}`}
        </Chip>
        {machine.atRisk && machine.status === "healthy" ? (
          <Chip>
            <StatusMark status="at-risk" size={10} />
            At risk
          </Chip>
        ) : null}
        {machine.simulated ? <Chip>simulated</Chip> : null}
        {page.sameCause && page.sameCause.machines > 1 ? (
          <Link href={machinesHref(page.sameCause.query)}>
            <Chip tone="accent">{formatCount(page.sameCause.machines)} machines with this cause</Chip>
          </Link>
        ) : null}
        {page.incidents.map((incident) => (
          <Link key={incident.number} href={incidentHref(incident.number)}>
            <Chip tone="accent">
              Incident {incident.number} · {formatCount(incident.failing)}{" "}
              {incident.failing === 1 ? "machine" : "machines"}
            </Chip>
          </Link>
        ))}
        {primary ? <Chip>Confidence {primary.confidence}</Chip> : null}
        {machine.approved ? null : <Chip tone="stale">Waits for approval</Chip>}
        {machine.cloned ? <Chip tone="bad">Key used twice</Chip> : null}
        {machine.tags.map((tag) => (
          <Chip key={tag}>
            <bdi>{safeText(tag)}</bdi>
          </Chip>
        ))}
        <span className={styles.about}>
          <bdi>
            {[
              machine.site ?? "no site",
              system?.privateAddresses[0],
              systemText(machine.os, machine.osVersion),
              system?.domainJoined === true
                ? "domain joined"
                : system?.domainJoined === false
                  ? "not domain joined"
                  : null,
              machine.agentVersion === "" ? null : `agent ${machine.agentVersion}`,
              machine.location === "unknown" ? "location unknown" : machine.location,
            ]
              .filter((part) => part !== null && part !== undefined && part !== "")
              .map((part) => safeText(String(part)))
              .join(" · ")}
          </bdi>
        </span>
      </div>
      <h1 className={styles.verdict}>
        {stale && seenAt !== null ? (
          <>
            {machine.status === "stale" ? "Stale: silent for " : "Signed off: last seen "}
            {formatDuration(now - seenAt)}
            {machine.status === "stale" ? ". " : " ago. "}
            <span>
              Last state: <bdi>{safeText(diagnosis.sentence, 1024)}</bdi>
            </span>
          </>
        ) : (
          <>
            {sentenceRuns(safeText(diagnosis.sentence, 1024), primary ? safeText(primary.cause) : null).map(
              (run, i) => {
                const key = `${i}-${run.tone}`;
                if (run.tone === "bad" && failing) return <em key={key}>{run.text}</em>;
                return run.tone === "quiet" ? <span key={key}>{run.text}</span> : <bdi key={key}>{run.text}</bdi>;
              },
            )}
            {machine.status === "healthy" && proof !== null ? <span> Proven at {time(proof)}.</span> : null}
          </>
        )}
      </h1>
      {configurations.length > 1 ? (
        <nav className={styles.users} aria-label="Users, by configuration">
          {configurations.map((c, i) => (
            <Link
              key={c.id}
              href={href({ configuration: c.id })}
              aria-current={c.id === configuration ? "page" : undefined}
              scroll={false}
            >
              {c.users === 1 ? `user ${i + 1}` : `users ${i + 1}`}
              <span>{c.users === 0 ? "nobody signed in" : c.users === 1 ? "" : `${c.users} with these settings`}</span>
            </Link>
          ))}
        </nav>
      ) : null}
      {stale && seenAt !== null ? (
        <div className={styles.banners}>
          <Banner
            mark={machine.status === "stale" ? "stale" : "signed-off"}
            tone={machine.status === "stale" ? "stale" : "plain"}
          >
            <b>{formatDuration(now - seenAt)} old.</b> The chain below is drawn as last seen at {time(seenAt)}.
          </Banner>
        </div>
      ) : null}
      {lanes.length > 0 && slot && target ? (
        <EvidenceChain
          subtitle={
            <bdi>
              {serviceName(slot.facts.endpoint.service)} · {safeText(endpointText(slot.facts))}
            </bdi>
          }
          dimmed={stale}
          nav={
            <>
              <span>Target:</span>
              {tabs.map((tab) => (
                <Link
                  key={tab.id}
                  href={href({ target: tab.id })}
                  aria-current={tab.id === target ? "true" : undefined}
                  scroll={false}
                >
                  {safeText(tab.title)}
                </Link>
              ))}
              {raw ? (
                <Link className="link" href={raw}>
                  Raw probe
                </Link>
              ) : null}
            </>
          }
          lanes={lanes}
          notes={notesOf(laneContext, failing && texts ? texts.notThis : [])}
        />
      ) : (
        <Banner tone="plain" mark="cannot-tell">
          <b>Nothing was probed yet.</b> The first cycle of a new machine takes about a minute.
        </Banner>
      )}
      <div className={styles.two}>
        <DiffPanel diff={diff} failedAt={failedAt} others={others} before={page.before} now={now} zone={zone} />
        <FixPanel
          texts={texts}
          none={
            diagnosis.status === "healthy"
              ? "Nothing to fix: Exchange answers on this machine."
              : "No cause is named yet, so no step can be given."
          }
        />
      </div>
      <div className={styles.two}>
        <div className={styles.stack}>
          <ChartPanel
            title="Targets over time"
            subtitle={`hatched = failing, gold = not seen; ${zoneText}`}
            name={`lynceus-targets-${id}`}
            table={stripTable(page.history, configuration, targets, context)}
            tools={rangeLinks}
          >
            <StateStrips strips={strips} ticks={timeTicks(range, zone)} events={events} />
          </ChartPanel>
          {answers && answers.times.length > 1 ? (
            <ChartPanel
              title="Time to answer, ms"
              subtitle="an hour a point, the newest probes one by one; a break = no answer"
              name={`lynceus-answer-times-${id}`}
              table={answerTable(answers, context)}
            >
              <StepChart
                times={answers.times}
                series={answers.series}
                zone={zone}
                height={128}
                unit="ms"
                level={answers.usual === null ? undefined : { value: answers.usual, label: "7-day median" }}
                sentence={answerSentence(answers)}
              />
            </ChartPanel>
          ) : null}
        </div>
        <Timeline
          entries={page.timeline.items}
          sub={`${zoneText}${skew === null ? "" : `; machine clock ${skew >= 0 ? "+" : "−"}${(Math.abs(skew) / 1000).toFixed(1)} s`}`}
          now={now}
          zone={zone}
          more={
            page.timeline.nextCursor && search.timeline !== "all" ? (
              <Link href={`${href({})}&timeline=all`} scroll={false}>
                All {page.timeline.total}
              </Link>
            ) : null
          }
        />
      </div>
      <div className={styles.stack} style={{ marginTop: 14 }}>
        <ReportsPanel
          machineId={id}
          reports={page.reports.items}
          mayRemove={allows(access, "operate")}
          now={now}
          zone={zone}
        />
        <NotesPanel
          machineId={id}
          notes={page.notes}
          viewer={email}
          anyones={allows(access, "administer")}
          mayWrite={allows(access, "operate")}
          now={now}
          zone={zone}
        />
        <FindingsPanel machineId={id} findings={page.findings.items} now={now} zone={zone} />
        <SettingsPanel facts={facts} configuration={configuration} now={now} zone={zone} />
      </div>
    </>
  );
}

/** The target that is shown: the one asked for, else the first of the tabs, else any that was probed. */
function targetOf(facts: MachineFacts, policy: Policy | null, configuration: string, asked: unknown): string | null {
  if (typeof asked === "string" && slotOf(facts, configuration, asked, "configured")) return asked;
  const probed = Object.values(facts.probes).find((slot) => slot.facts.via === "configured");
  return targetTabs(facts, policy, configuration)[0]?.id ?? probed?.facts.target ?? null;
}

/** Shape and last value for those who do not see the chart. */
function answerSentence({ series, usual }: AnswerTimes): string {
  const lines = series.map(({ label, values }) => {
    const last = values.findLast((value) => typeof value === "number");
    return `${label}: ${last === undefined ? "no answer" : `${formatLatency(last ?? null)} at last`}`;
  });
  return `Time to answer. ${lines.join("; ")}${usual === null ? "" : `; 7-day median ${formatLatency(usual)}`}.`;
}

function endpointText({ endpoint }: ProbeFacts): string {
  const port =
    endpoint.port === null || (endpoint.kind === "https" && endpoint.port === 443) ? "" : `:${endpoint.port}`;
  if (endpoint.kind === "https" || endpoint.kind === "http")
    return `${endpoint.kind}://${endpoint.host}${port}${endpoint.path ?? ""}`;
  return `${endpoint.host}${port}`;
}

/** Configurations that somebody has in force; without users those that were probed. */
function configurationsOf(
  settings: { configurations: { id: string; users: number; probed: boolean }[] } | null,
  probes: Record<string, { facts: ProbeFacts }>,
): { id: string; users: number }[] {
  const listed = settings?.configurations ?? [];
  const probed = new Set(Object.values(probes).map((slot) => slot.facts.configuration));
  const shown = listed.filter((c) => probed.has(c.id));
  if (shown.length > 0) return shown;
  return [...probed].map((id) => ({ id, users: 0 }));
}
