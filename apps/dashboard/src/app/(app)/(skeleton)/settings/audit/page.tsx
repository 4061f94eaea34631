import { listAudit } from "@lynceus/db/audit";
import { CursorError } from "@lynceus/db/cursor";
import { formatCount, formatTime, safeText } from "@lynceus/protocol/present";
import { Button, NativeSelect, TextInput } from "@mantine/core";
import type { Metadata } from "next";
import Link from "next/link";
import forms from "../../../../../components/forms/forms.module.css";
import { Panel } from "../../../../../components/layout/panel.tsx";
import { RememberZone } from "../../../../../components/machines/remember-zone.tsx";
import { type AuditChange, auditChanges, auditKinds } from "../../../../../components/settings/audit-changes.ts";
import settings from "../../../../../components/settings/settings.module.css";
import { SettingsHeader } from "../../../../../components/settings/settings-header.tsx";
import { database } from "../../../../../lib/db.ts";
import { requireRight } from "../../../../../lib/session.ts";
import { viewerZone, zoneName } from "../../../../../lib/zone.ts";

export const metadata: Metadata = { title: "Audit log" };

const pageSize = 50;
/** Changes of an entry that are shown at once; the others are one click away. */
const shownChanges = 3;

/** Who did what, when, and what it was before? */
export default async function AuditPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const { access } = await requireRight("configure");
  const zone = await viewerZone();
  const params = await searchParams;
  const text = (name: string) => (typeof params[name] === "string" ? params[name].trim().slice(0, 320) : "");
  const filter = {
    actor: text("actor"),
    kind: text("kind"),
    subject: text("subject"),
    since: text("since"),
    until: text("until"),
  };
  const day = (value: string, plusDays = 0) => {
    const at = Date.parse(`${value}T00:00:00Z`);
    return /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(at) ? new Date(at + plusDays * 86_400_000) : undefined;
  };
  const query = {
    actor: filter.actor,
    action: Object.hasOwn(auditKinds, filter.kind) ? `${filter.kind}.` : undefined,
    subject: filter.subject,
    since: day(filter.since),
    until: day(filter.until, 1),
    limit: pageSize,
  };
  // A cursor that is none of ours begins anew.
  const page = await listAudit(database(), { ...query, cursor: text("cursor") || null }).catch((error: unknown) => {
    if (error instanceof CursorError) return listAudit(database(), query);
    throw error;
  });
  const now = Date.parse(page.asOf);
  const older = new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== ""));
  if (page.nextCursor !== null) older.set("cursor", page.nextCursor);
  return (
    <>
      <RememberZone zone={zone} />
      <SettingsHeader access={access} title="Audit log" />
      <h1 className="vh">Audit log</h1>
      <search>
        <form action="/settings/audit" method="get" className={settings.filter}>
          <TextInput label="Who" name="actor" defaultValue={filter.actor} placeholder="any" autoComplete="off" />
          <NativeSelect
            label="About"
            name="kind"
            defaultValue={filter.kind}
            data={[
              { value: "", label: "anything" },
              ...Object.entries(auditKinds).map(([value, label]) => ({ value, label })),
            ]}
          />
          <TextInput
            label="Done to"
            name="subject"
            defaultValue={filter.subject}
            placeholder="an id, an address"
            autoComplete="off"
          />
          <TextInput label="From" name="since" type="date" defaultValue={filter.since} />
          <TextInput label="To" name="until" type="date" defaultValue={filter.until} />
          <Button type="submit" variant="default">
            Show
          </Button>
        </form>
      </search>
      <Panel
        title="Entries"
        sub={`${page.total >= 1000 ? "1,000 or more" : formatCount(page.total)}, newest first; ${zoneName(zone, now)}; days are in UTC`}
      >
        {page.items.length === 0 ? (
          <p className={forms.none}>Nothing like this was done.</p>
        ) : (
          <div className={forms.scroll}>
            <table className={`${forms.table} ${settings.audit}`}>
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Who</th>
                  <th scope="col">What</th>
                  <th scope="col">Before and after</th>
                </tr>
              </thead>
              <tbody>
                {page.items.map((entry) => (
                  <tr key={entry.id}>
                    <td className="nowrap">
                      <time dateTime={entry.at} title={entry.at}>
                        {formatTime(Date.parse(entry.at), { now, zone })}
                      </time>
                    </td>
                    <td>
                      <bdi>{safeText(entry.actor, 80)}</bdi>
                    </td>
                    <td>
                      <span className="mono">{safeText(entry.action, 80)}</span>
                      <small>
                        <Subject action={entry.action} subject={entry.subject} />
                      </small>
                    </td>
                    <td>
                      <Changes changes={auditChanges(entry.before, entry.after)} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {page.nextCursor === null ? null : (
          <p className={settings.more}>
            <Link className="link" href={`/settings/audit?${older}`}>
              Older entries
            </Link>
          </p>
        )}
      </Panel>
    </>
  );
}

/** What it was done to, as a link where it has a page. */
function Subject({ action, subject }: { action: string; subject: string }) {
  const words = <bdi>{safeText(subject, 80)}</bdi>;
  const isId = /^[0-9a-f-]{36}$/.test(subject);
  return /^(machine|report|note)\./.test(action) && isId ? <Link href={`/machines/${subject}`}>{words}</Link> : words;
}

function Changes({ changes }: { changes: readonly AuditChange[] }) {
  if (changes.length === 0) return <span className="dim">nothing else to tell</span>;
  const rest = changes.slice(shownChanges);
  return (
    <>
      <List changes={changes.slice(0, shownChanges)} />
      {rest.length === 0 ? null : (
        <details>
          <summary>{formatCount(rest.length)} more</summary>
          <List changes={rest.slice(0, 200)} />
          {rest.length > 200 ? <p className="dim">The first 200.</p> : null}
        </details>
      )}
    </>
  );
}

function List({ changes }: { changes: readonly AuditChange[] }) {
  return (
    <ul>
      {changes.map(({ key, before, after }) => (
        <li key={key}>
          <span className="dim">{safeText(key, 80)}</span>{" "}
          {before === null ? null : (
            <>
              <del>
                <bdi>{before}</bdi>
              </del>{" "}
            </>
          )}
          {after === null ? (
            <span className="dim">gone</span>
          ) : (
            <ins>
              <bdi>{after}</bdi>
            </ins>
          )}
        </li>
      ))}
    </ul>
  );
}
