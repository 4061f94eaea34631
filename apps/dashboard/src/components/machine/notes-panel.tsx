import type { MachineNote } from "@lynceus/db/notes";
import { formatTime, safeText } from "@lynceus/protocol/present";
import { removeNote } from "../../app/(app)/machines/[id]/actions.ts";
import { ConfirmButton } from "../confirm-button.tsx";
import forms from "../forms/forms.module.css";
import { Panel } from "../layout/panel.tsx";
import styles from "./machine.module.css";
import { NoteForm } from "./note-form.tsx";

/** What staff wrote about this machine, newest first. */
export function NotesPanel(props: {
  machineId: string;
  notes: readonly MachineNote[];
  /** Who looks: one's own notes can be removed. */
  viewer: string;
  /** Whether anybody's notes can be removed. */
  anyones: boolean;
  /** Whether notes can be written. */
  mayWrite: boolean;
  now: number;
  zone: string;
}) {
  const { machineId, notes, viewer, anyones, mayWrite, now, zone } = props;
  return (
    <Panel title="Notes" sub="by staff; no agent reads them">
      {notes.length === 0 ? <p className={styles.none}>Nobody wrote anything about this machine yet.</p> : null}
      {notes.length === 0 ? null : (
        <ol className={styles.notes}>
          {notes.map((note) => (
            <li key={note.id}>
              <p>
                <bdi>
                  {note.text
                    .split("\n")
                    .map((line) => safeText(line, 2_000))
                    .join("\n")}
                </bdi>
              </p>
              <div>
                <time dateTime={note.at} title={note.at}>
                  {formatTime(Date.parse(note.at), { now, zone })}
                </time>
                <bdi>{safeText(note.author)}</bdi>
                {mayWrite && (anyones || note.author === viewer) ? (
                  <form action={removeNote}>
                    <input type="hidden" name="id" value={note.id} />
                    <ConfirmButton label="Remove" again="Remove now" describes={`note of ${note.author}`} />
                  </form>
                ) : null}
              </div>
            </li>
          ))}
        </ol>
      )}
      {mayWrite ? (
        <div className={`${forms.body} ${forms.ruled}`}>
          <NoteForm machineId={machineId} />
        </div>
      ) : null}
    </Panel>
  );
}
