import { isWholeFleet, type Right, refusal, rights, scopeText } from "@lynceus/protocol/access";
import { safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import { StartFrame } from "../../components/shell/start-frame.tsx";
import { requireSession } from "../../lib/session.ts";

export const metadata: Metadata = { title: "No right" };

/** What is missing for what was asked. It stands at an address of its own, so that it tells nothing of what was asked for. */
export default async function NoRightPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const { name, access } = await requireSession();
  const { of } = await searchParams;
  const right = typeof of === "string" && Object.hasOwn(rights, of) ? (of as Right) : "configure";
  return (
    <StartFrame title="This is not yours to open.">
      <p className="dim">
        <bdi>{safeText(name)}</bdi> is signed in as {access.role}
        {isWholeFleet(access) ? "" : `, for ${safeText(scopeText(access))}`}. {refusal(access, right)} An admin of the
        whole fleet can change that under Settings, Users.
      </p>
      <p>
        <Link className="link" href="/">
          Go to the overview
        </Link>
      </p>
    </StartFrame>
  );
}
