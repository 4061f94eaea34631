import type { ReactNode } from "react";
import { AppFrame } from "../../components/shell/app-frame.tsx";
import { LiveProvider } from "../../components/shell/live.tsx";
import { requireUser } from "../../lib/session.ts";

/** Everything below needs a session; each page asks for it again, since a layout does not guard its pages. */
export default async function AppLayout({ children }: { children: ReactNode }) {
  const user = await requireUser();
  return (
    <LiveProvider>
      <AppFrame user={{ name: user.name, role: user.role }}>{children}</AppFrame>
    </LiveProvider>
  );
}
