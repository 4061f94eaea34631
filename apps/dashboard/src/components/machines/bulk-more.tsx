"use client";

import { Button, Menu } from "@mantine/core";
import type { BulkKind } from "../../lib/bulk-input.ts";
import { Icon } from "../icon.tsx";
import type { May } from "./bulk-bar.tsx";

/** What is done to chosen machines more rarely. */
export function BulkMore(props: {
  may: May;
  onAsk: (kind: BulkKind) => void;
  exportForm: (format: "csv" | "json") => void;
}) {
  const { may, onAsk, exportForm } = props;
  return (
    <Menu position="top-end">
      <Menu.Target>
        <Button rightSection={<Icon name="down" />}>More</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => exportForm("csv")}>Export CSV</Menu.Item>
        <Menu.Item onClick={() => exportForm("json")}>Export JSON</Menu.Item>
        {may.administer ? (
          <>
            <Menu.Divider />
            <Menu.Item onClick={() => onAsk("revoke")}>Revoke…</Menu.Item>
            <Menu.Item onClick={() => onAsk("retire")}>Retire…</Menu.Item>
          </>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}
