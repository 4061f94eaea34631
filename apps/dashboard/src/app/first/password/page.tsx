import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { PasswordForm } from "../../../components/settings/password-form.tsx";
import { StartFrame } from "../../../components/shell/start-frame.tsx";
import { requireSession } from "../../../lib/session.ts";

export const metadata: Metadata = { title: "Choose a password" };

/** What comes first for who signed in with a password that an admin made up. */
export default async function FirstPasswordPage() {
  const { must, name } = await requireSession();
  if (must !== "password") redirect("/");
  return (
    <StartFrame title="Choose a password of your own">
      <p className="dim">
        <bdi>{name}</bdi>, the present one was made by an admin, who knows it. Nobody will know the next one but you.
      </p>
      <PasswordForm main />
    </StartFrame>
  );
}
