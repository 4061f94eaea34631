"use client";

import { useComputedColorScheme, useMantineColorScheme } from "@mantine/core";

/** Dark or light: as the system says until someone chooses here. */
export function useScheme(): { dark: boolean; toggle: () => void } {
  const { setColorScheme } = useMantineColorScheme();
  const computed = useComputedColorScheme("light");
  const dark = computed === "dark";
  return { dark, toggle: () => setColorScheme(dark ? "light" : "dark") };
}
