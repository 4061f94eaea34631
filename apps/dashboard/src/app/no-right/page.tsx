import type { Metadata } from "next";
import Link from "next/link";
import { StartFrame } from "../../components/shell/start-frame.tsx";
import { requireUser } from "../../lib/session.ts";

export const metadata: Metadata = { title: "No right" };

export default async function NoRightPage() {
  const user = await requireUser();
  return (
    <StartFrame title="This page is for admins.">
      <p className="dim">
        <bdi>{user.name}</bdi> is signed in as {user.access.role}. An admin can give the role under Settings.
      </p>
      <p>
        <Link className="link" href="/">
          Go to the overview
        </Link>
      </p>
    </StartFrame>
  );
}
