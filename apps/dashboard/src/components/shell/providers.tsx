"use client";

import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { NuqsAdapter } from "nuqs/adapters/next/app";
import type { ReactNode } from "react";
import { cssVariables, theme } from "../../theme/theme.ts";

/** What every page needs around it: theme, notices, and the URL as state. */
export function Providers({ nonce, children }: { nonce: string | undefined; children: ReactNode }) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      {...(nonce === undefined ? {} : { getStyleNonce: () => nonce })}
    >
      <Notifications position="bottom-right" autoClose={6000} aria-live="polite" />
      <NuqsAdapter>{children}</NuqsAdapter>
    </MantineProvider>
  );
}
