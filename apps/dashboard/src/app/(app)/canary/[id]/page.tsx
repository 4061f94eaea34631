import { canaryScript, getCanary, listCanaryMachines } from "@lynceus/db/canaries";
import { inSnapshot } from "@lynceus/db/client";
import { canaryGroups } from "@lynceus/db/cohort-sites";
import { allows } from "@lynceus/protocol/access";
import { formatCount, formatTime, safeText } from "@lynceus/protocol/present";
import type { Canary } from "@lynceus/protocol/read-api-tools";
import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { cache } from "react";
import styles from "../../../../components/canary/canary.module.css";
import { CanaryMachines } from "../../../../components/canary/canary-machines.tsx";
import { EffectGroups } from "../../../../components/canary/effect-groups.tsx";
import { RefreshWhile } from "../../../../components/canary/refresh-while.tsx";
import {
  canarySentence,
  effectOrder,
  effectWords,
  isRunning,
  proposalText,
  stateText,
} from "../../../../components/canary/words.ts";
import causes from "../../../../components/causes/causes.module.css";
import { ConfirmButton } from "../../../../components/confirm-button.tsx";
import forms from "../../../../components/forms/forms.module.css";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { RememberZone } from "../../../../components/machines/remember-zone.tsx";
import { Chip } from "../../../../components/status/chip.tsx";
import { StatusMark } from "../../../../components/status/status-mark.tsx";
import { VerdictSentence } from "../../../../components/status/verdict-sentence.tsx";
import { requireRight } from "../../../../lib/session.ts";
import { viewerZone } from "../../../../lib/zone.ts";
import { stopCanary } from "../../(skeleton)/canary/actions.ts";

type Props = { params: Promise<{ id: string }>; searchParams: Promise<Record<string, unknown>> };

const canaryOf = cache(async (id: string) => getCanary((await requireRight("read")).fleet, id));

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  await requireRight("read");
  const canary = await canaryOf((await params).id);
  return { title: canary === null ? "Canary" : safeText(canary.title) };
}

/** Who changes route, and who breaks, before a proposal is rolled out. */
export default async function CanaryResultPage({ params, searchParams }: Props) {
  const { access, fleet } = await requireRight("read");
  const { id } = await params;
  const search = await searchParams;
  const zone = await viewerZone();
  const effect = effectOrder.find((one) => one === search.effect);
  const cursor = typeof search.cursor === "string" ? search.cursor : null;
  const page = await inSnapshot(fleet, async (db) => {
    const canary = await getCanary(db, id);
    if (canary === null) return null;
    return {
      canary,
      sites: await canaryGroups(db, id, "site"),
      proxies: await canaryGroups(db, id, "proxy"),
      machines: await listCanaryMachines(db, id, { limit: 50, cursor, ...(effect === undefined ? {} : { effect }) }),
      probed: await listCanaryMachines(db, id, { limit: 50, probed: true }),
      script: await canaryScript(db, id),
    };
  });
  if (page === null) notFound();
  const { canary, sites, proxies, machines, probed, script } = page;
  const now = Date.parse(machines.asOf);
  const context = { now, zone };
  const running = isRunning(canary.state);
  const sentence = canarySentence(canary);
  const href = (of: string | undefined, next?: string) => {
    const query = new URLSearchParams();
    if (of !== undefined) query.set("effect", of);
    if (next !== undefined) query.set("cursor", next);
    return `/canary/${id}${query.size === 0 ? "" : `?${query}`}`;
  };
  return (
    <>
      <RememberZone zone={zone} />
      <RefreshWhile running={running} />
      <PageHeader title={<bdi>{safeText(canary.title)}</bdi>} above={[{ title: "Canary", href: "/canary" }]} asOf={now}>
        {running && allows(access, "operate") ? (
          <form action={stopCanary}>
            <input type="hidden" name="id" value={id} />
            <ConfirmButton label="Stop" />
          </form>
        ) : null}
      </PageHeader>
      <div className={causes.chips}>
        <Chip tone={running ? "accent" : canary.state === "failed" ? "bad" : "plain"}>{stateText(canary)}</Chip>
        <span>
          Proposed {formatTime(Date.parse(canary.createdAt), context)} by <bdi>{safeText(canary.createdBy)}</bdi> ·{" "}
          {canary.q === "" && canary.site === null ? "for all machines" : "for "}
          <bdi className="mono">{safeText([canary.q, canary.site].filter(Boolean).join(" · "))}</bdi>
        </span>
      </div>
      <VerdictSentence
        {...(canary.reason === null && canary.state !== "cancelled"
          ? {}
          : {
              next: (
                <bdi>{canary.reason === null ? "Stopped before all were judged." : safeText(canary.reason, 512)}</bdi>
              ),
            })}
      >
        {sentence.bad === null ? null : <em>{sentence.bad}</em>}
        {sentence.rest}
      </VerdictSentence>
      <Panel label="Effects">
        <div className={styles.effects}>
          {effectOrder.map((one) => (
            <Link
              key={one}
              href={href(effect === one ? undefined : one)}
              aria-current={effect === one ? "true" : undefined}
              scroll={false}
            >
              <span className={styles.word}>
                <StatusMark status={effectWords[one].mark} />
                {effectWords[one].title}
              </span>
              <span className={`${styles.value} figure`} data-bad={one === "breaks" && canary.effects.breaks > 0}>
                {formatCount(canary.effects[one])}
              </span>
              <span className={styles.meaning}>{effectWords[one].meaning}</span>
            </Link>
          ))}
        </div>
        <div className={styles.scale} aria-hidden="true">
          {effectOrder.map((one) =>
            canary.effects[one] > 0 ? (
              <i key={one} style={{ flex: canary.effects[one], background: effectWords[one].fill }} />
            ) : null,
          )}
        </div>
      </Panel>
      <div className={causes.two}>
        <CanaryMachines
          title={effect === undefined ? "Machines" : effectWords[effect].title}
          machines={machines.items}
          total={machines.total}
          next={machines.nextCursor === null ? null : href(effect, machines.nextCursor)}
        />
        <div className={causes.stack}>
          <EffectGroups title="By site" first="Site" none="no site" groups={sites} />
          <EffectGroups title="By proxy now in use" first="Route" none="unknown" groups={proxies} />
          <Probes canary={canary} probed={probed.items} />
          <Panel title="What was proposed">
            <p className={`${forms.none} mono`}>
              <bdi>{safeText(proposalText(canary), 512)}</bdi>
            </p>
            {script === null ? null : (
              <details className={forms.details}>
                <summary>The script</summary>
                <pre className={styles.script}>
                  {/* Its own lines are kept; what would not show in a line is made visible. */}
                  {script
                    .split(/\r?\n/)
                    .slice(0, 2_000)
                    .map((line) => safeText(line, 2_000))
                    .join("\n")}
                </pre>
              </details>
            )}
          </Panel>
        </div>
      </div>
    </>
  );
}

function Probes({ canary, probed }: { canary: Canary; probed: Parameters<typeof CanaryMachines>[0]["machines"] }) {
  const { asked, answered, missing } = canary.probes;
  const words = {
    none: "not asked",
    queued: "waiting",
    sent: "probing",
    done: "probed",
    refused: "refused",
    expired: "no answer",
  };
  return (
    <Panel
      title="Really probed"
      sub={
        asked === 0
          ? "no machine was chosen"
          : `${formatCount(answered)} of ${formatCount(asked)} answered${missing > 0 ? `, ${formatCount(missing)} could not` : ""}`
      }
    >
      {asked === 0 ? (
        <p className={forms.none}>The result rests on what machines and their peers saw of these routes before.</p>
      ) : (
        <ul className={causes.list}>
          {probed.map((machine) => (
            <li key={machine.machineId}>
              <Link className="mono" href={`/machines/${machine.machineId}`} prefetch={false}>
                <bdi>{safeText(machine.hostname)}</bdi>
              </Link>
              <small>
                {words[machine.probe.state]}
                {machine.probe.state === "done" ? `: ${effectWords[machine.effect].title.toLowerCase()}` : ""}
                {machine.probe.reason === null ? "" : `; ${safeText(machine.probe.reason)}`}
              </small>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
