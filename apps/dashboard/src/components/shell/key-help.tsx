"use client";

import type { Access } from "@lynceus/protocol/access";
import { Modal } from "@mantine/core";
import { shellPages } from "./pages.ts";
import styles from "./shell.module.css";

const keysOf = (access: Access): readonly [keys: string[], what: string][] => [
  [["Ctrl K"], "go to a page or machine"],
  ...shellPages(access).map((page): [string[], string] => [["g", page.key], page.title.toLowerCase()]),
  [["/"], "filter"],
  [["j", "k"], "next, previous row"],
  [["Enter"], "open the row"],
  [["Esc"], "clear, up"],
  [["p"], "check now"],
  [["t"], "copy the ticket text"],
  [["v"], "verify the fix of a cause"],
  [["["], "sidebar or rail"],
  [["Shift D"], "dark or light"],
  [["l"], "copy the link to this page"],
  [["?"], "this list"],
];

/** The keys, on `?`. */
export function KeyHelp({ access, opened, onClose }: { access: Access; opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" size="sm">
      <dl className={styles.keys}>
        {keysOf(access).map(([pressed, what]) => (
          <div key={what}>
            <dt>
              {pressed.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="dim">Off while typing.</p>
    </Modal>
  );
}
