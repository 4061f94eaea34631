import type { Metadata } from "next";
import { OpenForm } from "../../../components/wall/open-form.tsx";
import { WallNotice } from "../../../components/wall/wall-notice.tsx";

export const metadata: Metadata = { title: "Open the wallboard" };

/** `/wall/open#lyn_…`: keeps the token for this screen. What stands behind `#` is sent to no server, and so is in no log. */
export default async function OpenWallPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const { site, refused } = await searchParams;
  return (
    <WallNotice title="Open the wallboard on this screen.">
      <OpenForm site={typeof site === "string" ? site : ""} refused={refused !== undefined} />
      <p>
        The token is kept in a cookie of this browser, which the wallboard alone reads. Revoke the token in Settings,
        API tokens, and the screen is closed within seconds.
      </p>
    </WallNotice>
  );
}
