"use client";

import { Button, Menu } from "@mantine/core";
import { parseAsString, useQueryState } from "nuqs";
import { Icon } from "../icon.tsx";

/** Which span and which site the overview shows; both are in the address. */
export function Picker({
  name,
  value,
  options,
  variant = "default",
}: {
  name: "site" | "range";
  value: string;
  options: { value: string; label: string }[];
  variant?: "default" | "subtle";
}) {
  const [, set] = useQueryState(name, parseAsString.withOptions({ shallow: false, history: "push" }));
  const current = options.find((option) => option.value === value) ?? options[0];
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant={variant} rightSection={<Icon name="down" />} aria-label={`${name}: ${current?.label}`}>
          <bdi>{current?.label}</bdi>
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={420} style={{ overflowY: "auto" }}>
        {options.map((option) => (
          <Menu.Item
            key={option.value}
            role="menuitemradio"
            aria-checked={option.value === value}
            onClick={() => void set(option.value === options[0]?.value ? null : option.value)}
          >
            <bdi>{option.label}</bdi>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
