"use client";

import { Button, Menu } from "@mantine/core";
import { Icon } from "../icon.tsx";
import { columnIds, columnInfo } from "./column-info.ts";
import { groupFields } from "./group-fields.ts";
import { columnsLabel, groupLabel } from "./list-tools.tsx";
import type { Defaults } from "./query.ts";
import { useListState } from "./use-list-state.ts";

const tick = <Icon name="check" size={12} />;
const longList = { mah: 420, style: { overflowY: "auto" } } as const;

/** Columns and groups of the list, to choose from. */
export function ListMenus({ defaults }: { defaults: Defaults }) {
  const { cols, setCols, group, setGroup } = useListState(defaults);
  return (
    <>
      <Menu position="bottom-end" checkIcon={tick}>
        <Menu.Target>
          <Button visibleFrom="sm" rightSection={<Icon name="down" />}>
            {groupLabel(group)}
          </Button>
        </Menu.Target>
        <Menu.Dropdown {...longList}>
          <Menu.RadioGroup value={group} onChange={(field) => setGroup(field === "none" ? null : field)}>
            <Menu.RadioItem value="none" checkIcon={tick} closeMenuOnClick>
              No groups
            </Menu.RadioItem>
            {Object.entries(groupFields).map(([field, title]) => (
              <Menu.RadioItem key={field} value={field} checkIcon={tick} closeMenuOnClick>
                {title}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
        </Menu.Dropdown>
      </Menu>
      <Menu position="bottom-end" checkIcon={tick}>
        <Menu.Target>
          <Button visibleFrom="sm" rightSection={<Icon name="down" />}>
            {columnsLabel(cols.length)}
          </Button>
        </Menu.Target>
        <Menu.Dropdown {...longList}>
          {columnIds.map((id) => (
            <Menu.CheckboxItem
              key={id}
              checked={cols.includes(id)}
              disabled={id === "status" || id === "name"}
              onChange={() => setCols(columnIds.filter((c) => (c === id ? !cols.includes(c) : cols.includes(c))))}
            >
              {columnInfo[id].title}
            </Menu.CheckboxItem>
          ))}
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
