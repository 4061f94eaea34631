"use client";

import { MantineProvider } from "@mantine/core";
import { useNotifications } from "@mantine/notifications";
import { setNonce } from "get-nonce";
import dynamic from "next/dynamic";
import { NuqsAdapter } from "nuqs/adapters/next/app";
import { type ReactNode, useState } from "react";
import { cssVariables, theme } from "../../theme/theme.ts";

/** What shows notices is loaded with the first of them. */
const Notifications = dynamic(() => import("@mantine/notifications").then((file) => file.Notifications), {
  ssr: false,
});

/** What every page needs around it: theme, notices, and the URL as state. */
export function Providers({ nonce, children }: { nonce: string | undefined; children: ReactNode }) {
  // A document has one nonce for its life; a page that is read again comes with another, which it would refuse.
  const [own] = useState(() => {
    // What keeps a page still behind a dialog writes a style sheet of its own.
    if (nonce !== undefined && typeof window !== "undefined") setNonce(nonce);
    return nonce;
  });
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      {...(own === undefined ? {} : { getStyleNonce: () => own })}
    >
      <Notices />
      <NuqsAdapter>{children}</NuqsAdapter>
    </MantineProvider>
  );
}

function Notices() {
  const { notifications } = useNotifications();
  const [used, setUsed] = useState(false);
  if (notifications.length > 0 && !used) setUsed(true);
  return used ? <Notifications position="bottom-right" autoClose={6000} aria-live="polite" /> : null;
}
