import type { Metadata } from "next";
import { redirect } from "next/navigation";
import settings from "../../../components/settings/settings.module.css";
import { FirstTwoFactor } from "../../../components/settings/two-factor.tsx";
import { SignOutButton } from "../../../components/shell/sign-out-button.tsx";
import { StartFrame } from "../../../components/shell/start-frame.tsx";
import { requireSession } from "../../../lib/session.ts";

export const metadata: Metadata = { title: "Set up a second factor" };

/** What comes first where the installation asks for a second factor. */
export default async function FirstFactorPage() {
  const { must, twoFactor } = await requireSession();
  // With codes on the screen the factor is there already: the page stays until they are kept.
  if (must !== "second-factor" && !twoFactor) redirect("/");
  return (
    <StartFrame title="Set up a second factor">
      <p className="dim">
        Signing in here with a password needs a code of an authenticator app as well: an admin has set this.
      </p>
      <FirstTwoFactor />
      <SignOutButton className={settings.signOut ?? ""} />
    </StartFrame>
  );
}
