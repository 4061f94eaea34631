"use client";

import type { Access } from "@lynceus/protocol/access";
import { Modal } from "@mantine/core";
import { shellPages } from "./pages.ts";
import styles from "./shell.module.css";

type Keys = readonly [keys: readonly string[], what: string][];

const groupsOf = (access: Access): readonly { title: string; keys: Keys }[] => [
  {
    title: "Anywhere",
    keys: [
      [["Ctrl K"], "go to a page, machine, incident or pattern"],
      [["["], "sidebar or rail"],
      [["Shift D"], "dark or light"],
      [["l"], "copy the link to this page"],
      [["?"], "this list"],
    ],
  },
  { title: "Go to", keys: shellPages(access).map((page) => [["g", page.key], page.title.toLowerCase()] as const) },
  {
    title: "Lists",
    keys: [
      [["/"], "filter"],
      [["j", "k"], "next, previous row"],
      [["x"], "select the row"],
      [["Shift x"], "select up to the row"],
      [["Enter"], "open the row"],
      [["Esc"], "clear"],
      [["p"], "probe the selected rows now"],
      [["d"], "compact or relaxed rows"],
    ],
  },
  {
    title: "Machine, incident, cause",
    keys: [
      [["p"], "probe the machine now"],
      [["t"], "copy the ticket text"],
      [["r"], "raw probe"],
      [["1", "–", "6"], "target"],
      [["a"], "acknowledge the incident"],
      [["v"], "verify the fix"],
    ],
  },
];

/** The keys, on `?`. */
export function KeyHelp({ access, opened, onClose }: { access: Access; opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" size="lg">
      <div className={styles.keyGroups}>
        {groupsOf(access).map(({ title, keys }) => (
          <section key={title}>
            <h3 className={styles.keyTitle}>{title}</h3>
            <dl className={styles.keys}>
              {keys.map(([pressed, what]) => (
                <div key={what}>
                  <dt>{pressed.map((key) => (key === "–" ? <span key={key}>–</span> : <kbd key={key}>{key}</kbd>))}</dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p className="dim">Off while typing, but for Ctrl K.</p>
    </Modal>
  );
}
