"use client";

import { Modal, Textarea } from "@mantine/core";

/** The text to be copied, selected, for a browser that lets no page write to the clipboard. */
export function CopyByHand({ text, title, onClose }: { text: string; title: string; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title={title} size="lg">
      <Textarea
        label="This browser lets no page copy here"
        description="The text is selected: Ctrl C copies it."
        value={text}
        readOnly
        autosize
        minRows={6}
        maxRows={18}
        data-autofocus
        onFocus={(event) => event.currentTarget.select()}
        styles={{ input: { fontFamily: "var(--mono)", fontSize: "var(--small)" } }}
      />
    </Modal>
  );
}
