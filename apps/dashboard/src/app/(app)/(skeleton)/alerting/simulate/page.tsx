import { reportingBySite } from "@lynceus/db/incident-machines";
import { activeSilences } from "@lynceus/db/incident-turns";
import { type Story, type Supposed, simulate } from "@lynceus/incidents/simulate";
import { siteKey } from "@lynceus/incidents/spread";
import type { AlertingConfig } from "@lynceus/protocol/alerting";
import { locations, patternIds, severities } from "@lynceus/protocol/name-lists";
import { formatCount, formatDuration, safeText } from "@lynceus/protocol/present";
import { Button, NativeSelect, TextInput } from "@mantine/core";
import type { Metadata } from "next";
import Link from "next/link";
import styles from "../../../../../components/alerting/alerting.module.css";
import { AlertingHeader } from "../../../../../components/alerting/alerting-header.tsx";
import forms from "../../../../../components/forms/forms.module.css";
import layout from "../../../../../components/layout/layout.module.css";
import { Panel } from "../../../../../components/layout/panel.tsx";
import { StateBox } from "../../../../../components/layout/state-box.tsx";
import { RememberZone } from "../../../../../components/machines/remember-zone.tsx";
import { shortTitle } from "../../../../../components/overview/short-titles.ts";
import { severityWords } from "../../../../../components/patterns/words.ts";
import { StatusMark } from "../../../../../components/status/status-mark.tsx";
import { VerdictSentence } from "../../../../../components/status/verdict-sentence.tsx";
import { readSupposed, spans } from "../../../../../lib/alerting/supposed.ts";
import { knownNames } from "../../../../../lib/known-names.ts";
import { requireRight } from "../../../../../lib/session.ts";
import { alerting, composeContext } from "../../../../../lib/told.ts";
import { viewerZone, zoneName } from "../../../../../lib/zone.ts";

export const metadata: Metadata = { title: "Who would be paged" };

/** Entries of the story that are drawn. */
const most = 200;

/** Who would be paged if so many machines failed alike, when, and why? Nobody is. */
export default async function SimulatePage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const { fleet } = await requireRight("oversee");
  const [zone, { config, version }, known] = await Promise.all([viewerZone(), alerting(), knownNames(fleet)]);
  const now = Date.now();
  const { values, errors, supposed } = readSupposed(await searchParams, { now, zone });
  const story =
    supposed === null
      ? null
      : await simulate(supposed, {
          config,
          silences: await activeSilences(fleet, supposed.at),
          sites: new Map((await reportingBySite(fleet)).map((row) => [siteKey(row), row.machines])),
          compose: await composeContext(),
        });
  return (
    <>
      <RememberZone zone={zone} />
      <AlertingHeader title="Who would be paged" />
      {story === null || supposed === null ? (
        <h1 className="vh">Who would be paged?</h1>
      ) : (
        <Verdict story={story} supposed={supposed} config={config} />
      )}
      <div className={forms.columns} data-wide="second">
        <Panel title="If …" sub="nobody is told by this">
          <form action="/alerting/simulate" method="get" className={`${forms.body} ${forms.form}`}>
            <div className={forms.pair}>
              <TextInput
                label="Machines"
                name="machines"
                defaultValue={values.machines}
                inputMode="numeric"
                error={errors.machines}
              />
              <TextInput
                label="at the site"
                name="site"
                defaultValue={values.site}
                placeholder="none"
                list="known-sites"
                error={errors.site}
                autoComplete="off"
              />
            </div>
            <datalist id="known-sites">
              {known.sites.map((site) => (
                <option key={site} value={site} />
              ))}
            </datalist>
            <NativeSelect
              label="fail by the pattern"
              name="pattern"
              defaultValue={values.pattern}
              error={errors.pattern}
              data={patternIds.map((id) => ({ value: id, label: `${shortTitle(id)} (${id})` }))}
            />
            <div className={forms.pair}>
              <NativeSelect
                label="Severity"
                name="severity"
                defaultValue={values.severity}
                error={errors.severity}
                data={severities.map((one) => ({ value: one, label: severityWords[one] }))}
              />
              <TextInput
                label="from"
                name="at"
                type="datetime-local"
                description={`${zoneName(zone, now)}; empty: now`}
                defaultValue={values.at}
                error={errors.at}
              />
            </div>
            <div className={forms.pair}>
              <NativeSelect
                label="for"
                name="minutes"
                defaultValue={values.minutes}
                error={errors.minutes}
                data={Object.entries(spans).map(([value, label]) => ({ value, label }))}
              />
              <TextInput label="Tags" name="tags" defaultValue={values.tags} placeholder="none" autoComplete="off" />
            </div>
            <details
              className={styles.more}
              open={values.target !== "" || values.route !== "" || values.location !== "inside"}
            >
              <summary>Target, route, location</summary>
              <div className={forms.form}>
                <div className={forms.pair}>
                  <TextInput
                    label="Target"
                    name="target"
                    defaultValue={values.target}
                    placeholder="ews"
                    className="mono"
                    autoComplete="off"
                  />
                  <TextInput
                    label="Configured route"
                    name="route"
                    defaultValue={values.route}
                    placeholder="px1.contoso.com:8080"
                    autoComplete="off"
                  />
                </div>
                <NativeSelect
                  label="Location"
                  name="location"
                  defaultValue={values.location}
                  error={errors.location}
                  data={[...locations]}
                />
              </div>
            </details>
            <div className={forms.submit}>
              <Button type="submit" variant="filled">
                Show
              </Button>
            </div>
          </form>
        </Panel>
        <Panel
          title="What would be decided"
          sub={
            story === null
              ? "and why"
              : `by ${version === 0 ? "the settings of a new installation" : `version ${version}`}; ${zoneName(zone, supposed?.at ?? now)}; after the first minute, to the minute`
          }
        >
          {story === null || supposed === null ? (
            <div className={layout.body}>
              <StateBox title="Ask before something breaks">
                The configuration in force, with its silences, maintenance windows, shifts and escalations, decides as
                it would at that moment, on a clock of its own. What it decides stands here with its reason, until
                somebody would have to acknowledge.
              </StateBox>
            </div>
          ) : (
            <Decisions story={story} supposed={supposed} zone={zone} />
          )}
        </Panel>
      </div>
    </>
  );
}

const after = (at: number, supposed: Supposed) =>
  at - supposed.at < 1_000 ? "at once" : `after ${formatDuration(at - supposed.at)}`;

/** Who hears of it first, as a sentence. */
function Verdict({ story, supposed, config }: { story: Story; supposed: Supposed; config: AlertingConfig }) {
  const first = new Map<string, number>();
  for (const { person, receiver, at } of story.notices) {
    const name =
      (person === null ? undefined : config.people.find(({ id }) => id === person)?.name) ??
      config.receivers.find(({ id }) => id === receiver)?.name ??
      receiver;
    if (!first.has(name)) first.set(name, at);
  }
  const held = story.events.findLast(({ kind }) => kind === "held");
  const machines = `${formatCount(supposed.machines)} ${supposed.machines === 1 ? "machine" : "machines"}`;
  const names = [...first].slice(0, 6);
  return (
    <VerdictSentence
      next={
        names.length === 0
          ? story.events.length === 0
            ? `${machines} of one cause make no incident: ${config.settings.openMachines} do, or one with an important tag.`
            : (held?.text ?? "No route names anybody.")
          : `Urgency ${story.urgency}. ${story.notices.length === 1 ? "One notice" : `${formatCount(story.notices.length)} notices`} in ${formatDuration(supposed.minutes * 60_000)} while nobody acknowledges.`
      }
    >
      {names.length === 0 ? (
        <>Nobody would be told.</>
      ) : (
        <>
          {names.map(([name, at], place) => (
            <span key={name}>
              {place === 0 ? "" : place === names.length - 1 ? " and " : ", "}
              <bdi>{safeText(name, 60)}</bdi> {after(at, supposed)}
            </span>
          ))}
          {first.size > names.length ? `, and ${formatCount(first.size - names.length)} more` : ""} would be told.
        </>
      )}
    </VerdictSentence>
  );
}

function Decisions({ story, supposed, zone }: { story: Story; supposed: Supposed; zone: string }) {
  const events = story.events.filter(({ kind }) => kind === "opened" || kind === "told" || kind === "held");
  const time = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeStyle: "medium" });
  if (events.length === 0)
    return (
      <p className={forms.none}>
        Nothing: no incident opens.{" "}
        <Link href="/alerting/limits" className="link">
          Limits
        </Link>{" "}
        say from how many machines on one does.
      </p>
    );
  return (
    <ol className={styles.story}>
      {events.slice(0, most).map((event, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the story is drawn once and never changes
        <li key={place}>
          <time dateTime={new Date(event.at).toISOString()} title={new Date(event.at).toISOString()}>
            {time.format(event.at)}
          </time>
          {event.kind === "held" ? <span /> : <StatusMark status={event.kind === "told" ? "failing" : "signed-off"} />}
          <div>
            <bdi className={event.kind === "held" ? "dim" : ""}>{safeText(event.text, 400)}</bdi>
            <small> · {after(event.at, supposed)}</small>
          </div>
        </li>
      ))}
      {events.length > most ? <li className="dim">and {formatCount(events.length - most)} more</li> : null}
    </ol>
  );
}
