import { countOpenIncidents } from "@lynceus/db/incidents";
import { currentPolicy } from "@lynceus/db/policies";
import { countSilences } from "@lynceus/db/silences";
import { allows } from "@lynceus/protocol/access";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import type { ReactNode } from "react";
import { AppFrame } from "../../components/shell/app-frame.tsx";
import { LiveProvider } from "../../components/shell/live.tsx";
import { database } from "../../lib/db.ts";
import { requireUser } from "../../lib/session.ts";

/** Everything below needs a session; each page asks for it again, since a layout does not guard its pages. */
export default async function AppLayout({ children }: { children: ReactNode }) {
  const user = await requireUser();
  const path = (await headers()).get("x-lynceus-path") ?? "";
  // The first thing an admin sees, until agents know what to probe.
  if (allows(user.access, "configure") && path === "/" && (await currentPolicy(database())) === null)
    redirect("/setup");
  const counts = {
    "/incidents": (await countOpenIncidents(user.fleet)).open,
    "/silences": await countSilences(user.fleet, new Date()),
  };
  return (
    <LiveProvider>
      <AppFrame user={{ name: user.name, access: user.access }} counts={counts}>
        {children}
      </AppFrame>
    </LiveProvider>
  );
}
