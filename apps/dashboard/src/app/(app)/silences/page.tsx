import { CursorError } from "@lynceus/db/cursor";
import { countEach } from "@lynceus/db/machines";
import { supportedFields } from "@lynceus/db/machines-filter";
import type { FleetReader } from "@lynceus/db/scope";
import { listSilences } from "@lynceus/db/silences";
import { allows, isWholeFleet, scopeText } from "@lynceus/protocol/access";
import { alertFilterTerms, alertMachineFields } from "@lynceus/protocol/alert-filter";
import { formatCount, formatDuration, safeText } from "@lynceus/protocol/present";
import type { SilenceRow } from "@lynceus/protocol/read-api-incidents";
import type { Metadata } from "next";
import Link from "next/link";
import { ConfirmButton } from "../../../components/confirm-button.tsx";
import forms from "../../../components/forms/forms.module.css";
import incidents from "../../../components/incidents/incidents.module.css";
import { PageHeader } from "../../../components/layout/page-header.tsx";
import { Panel } from "../../../components/layout/panel.tsx";
import { StateBox } from "../../../components/layout/state-box.tsx";
import { RememberZone } from "../../../components/machines/remember-zone.tsx";
import { momentText } from "../../../components/moment.ts";
import { MatchTokens } from "../../../components/silences/match-tokens.tsx";
import { MutingTabs } from "../../../components/silences/muting-tabs.tsx";
import { SilenceForm } from "../../../components/silences/silence-form.tsx";
import styles from "../../../components/silences/silences.module.css";
import { Chip } from "../../../components/status/chip.tsx";
import { requireRight } from "../../../lib/session.ts";
import { silencePreview } from "../../../lib/silence-preview.ts";
import { viewerZone, zoneName } from "../../../lib/zone.ts";
import { expireSilence } from "./actions.ts";

export const metadata: Metadata = { title: "Silences" };

const pageSize = 50;
const fields = alertMachineFields.filter((field) => supportedFields.includes(field));

interface Clock {
  now: number;
  zone: string;
}

/** Of which machines is nobody told, until when, and who said so? */
export default async function SilencesPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const { access, fleet } = await requireRight("read");
  const zone = await viewerZone();
  const search = await searchParams;
  const over = search.show === "all";
  const match = typeof search.match === "string" ? search.match.slice(0, 512) : "";
  const cursor = typeof search.cursor === "string" ? search.cursor : null;
  const now = Date.now();
  const operate = allows(access, "operate");
  const [list, first] = await Promise.all([
    readList(fleet, { now, over, cursor }),
    operate ? silencePreview(fleet, match) : { preview: null, problem: null },
  ]);
  const covered = await coveredBy(fleet, list.items);
  const active = list.items.filter(({ state }) => state === "active").length;
  const clock = { now, zone };
  return (
    <>
      <RememberZone zone={zone} />
      <PageHeader title="Silences" asOf={now} />
      <h1 className={incidents.lede}>
        {active === 0 && !over ? (
          "No silence is in force: of every incident somebody is told."
        ) : (
          <>
            {over
              ? "Silences, those that ended too."
              : `${formatCount(active)} ${active === 1 ? "silence is" : "silences are"} in force.`}{" "}
            <span className={incidents.quiet}>
              Nobody is told of the machines that {active === 1 && !over ? "it matches" : "they match"}; incidents
              appear all the same.
            </span>
          </>
        )}
      </h1>
      <MutingTabs access={access} current={over ? "all" : "silences"} />
      <div className={forms.columns} data-wide="first">
        <Panel title={over ? "All silences" : "In force and to come"} sub={formatCount(list.total)}>
          {list.items.length === 0 ? (
            <div className={forms.body}>
              <StateBox title="None.">
                {operate
                  ? "A silence keeps notices of some machines from everybody, for a while; the form makes one."
                  : "An operator makes one where notices of some machines would only disturb."}
              </StateBox>
            </div>
          ) : (
            <table className={forms.table}>
              <thead>
                <tr>
                  <th scope="col">Machines</th>
                  <th scope="col" className={forms.wide}>
                    Covers now
                  </th>
                  <th scope="col" className={forms.wide}>
                    Ends
                  </th>
                  <th scope="col">
                    <span className="vh">Act</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {list.items.map((silence, i) => (
                  <Row
                    key={silence.id}
                    silence={silence}
                    covered={covered[i] ?? null}
                    made={search.made === silence.id}
                    operate={operate}
                    clock={clock}
                  />
                ))}
              </tbody>
            </table>
          )}
          {list.nextCursor === null && cursor === null ? null : (
            <p className={incidents.more}>
              {cursor === null ? null : (
                <Link className="link" href={`/silences${over ? "?show=all" : ""}`}>
                  ← Latest
                </Link>
              )}
              {list.nextCursor === null ? null : (
                <Link
                  className="link"
                  href={`/silences?${new URLSearchParams({ ...(over ? { show: "all" } : {}), cursor: list.nextCursor })}`}
                >
                  Further →
                </Link>
              )}
            </p>
          )}
        </Panel>
        {operate ? (
          <Panel title="New silence" id="new" {...(match === "" ? {} : { className: styles.asked ?? "" })}>
            <div className={forms.body}>
              {/* Another address, or one that was just made: the form begins anew. */}
              <SilenceForm
                key={`${match} ${typeof search.made === "string" ? search.made : ""}`}
                match={match}
                first={first}
                fields={fields}
                zone={zone}
                zoneText={zoneName(zone, now)}
                scope={isWholeFleet(access) ? null : safeText(scopeText(access), 120)}
              />
            </div>
          </Panel>
        ) : null}
      </div>
    </>
  );
}

/** A page of the list; its first one where the address names no place in it. */
function readList(db: FleetReader, query: { now: number; over: boolean; cursor: string | null }) {
  const read = (cursor: string | null) =>
    listSilences(db, { now: new Date(query.now), over: query.over, cursor, limit: pageSize });
  return read(query.cursor).catch((error: unknown) => {
    if (error instanceof CursorError) return read(null);
    throw error;
  });
}

/** How many machines each silence in force matches now, and how many of them fail; null for what is not in force. */
async function coveredBy(db: FleetReader, silences: readonly SilenceRow[]) {
  const active = silences.filter(({ state }) => state === "active");
  const failing = alertFilterTerms("status:failing");
  const terms = active.map(({ match }) => alertFilterTerms(match));
  const counts = await countEach(db, [...terms, ...terms.map((own) => [...own, ...failing])]);
  const found = new Map(
    active.map(({ id }, i) => [id, { machines: counts[i] ?? 0, failing: counts[active.length + i] ?? 0 }]),
  );
  return silences.map(({ id }) => found.get(id) ?? null);
}

function Row(props: {
  silence: SilenceRow;
  covered: { machines: number; failing: number } | null;
  made: boolean;
  operate: boolean;
  clock: Clock;
}) {
  const { silence, covered, made, operate, clock } = props;
  const { state, startsAt, endsAt, comment, author, scope, endedBy } = silence;
  const begins = Date.parse(startsAt);
  const ends = Date.parse(endsAt);
  const when =
    state === "over"
      ? `Ended ${momentText(ends, clock)}${endedBy === null ? "" : ` by ${safeText(endedBy, 60)}`}`
      : state === "pending"
        ? `From ${momentText(begins, clock)} to ${momentText(ends, clock)}`
        : `Until ${momentText(ends, clock)}`;
  const covers =
    covered === null
      ? null
      : `${formatCount(covered.machines)} ${covered.machines === 1 ? "machine" : "machines"}, ${formatCount(covered.failing)} failing`;
  return (
    <tr data-over={state === "over"} {...(made ? { className: "changed" } : {})}>
      <td>
        <MatchTokens match={silence.match} />
        {comment === "" ? null : (
          <small className={styles.comment}>
            <bdi>{safeText(comment, 500)}</bdi>
          </small>
        )}
        <small>
          by <bdi>{safeText(author, 60)}</bdi>, {momentText(Date.parse(silence.createdAt), clock)}
          {isWholeFleet(scope) ? null : (
            <>
              ; of <bdi>{safeText(scopeText(scope), 80)}</bdi> alone
            </>
          )}
        </small>
        <small className={forms.narrow}>
          {when}
          {covers === null ? null : `; covers ${covers}`}
        </small>
      </td>
      <td className={`${forms.wide} nowrap`}>{covers ?? <span className="dim">–</span>}</td>
      <td className={forms.wide}>
        <time dateTime={endsAt} title={endsAt}>
          {when}
        </time>
        {state === "active" ? <small>in {formatDuration(ends - clock.now)}</small> : null}
      </td>
      <td>
        <div className={forms.acts}>
          {state === "over" ? (
            <Chip>over</Chip>
          ) : operate ? (
            <form action={expireSilence}>
              <input type="hidden" name="id" value={silence.id} />
              <ConfirmButton
                label={state === "pending" ? "Take back" : "Expire now"}
                again={state === "pending" ? "Take it back" : "End it"}
                describes={silence.match}
              />
            </form>
          ) : (
            <Chip>{state === "pending" ? "to come" : "in force"}</Chip>
          )}
        </div>
      </td>
    </tr>
  );
}
