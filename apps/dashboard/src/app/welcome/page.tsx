import type { Metadata } from "next";
import { StartFrame } from "../../components/shell/start-frame.tsx";
import { database } from "../../lib/db.ts";
import { isWelcome } from "../../lib/welcome.ts";
import { WelcomeForm } from "./welcome-form.tsx";

export const metadata: Metadata = { title: "First admin", referrer: "no-referrer" };

/** Looking changes nothing: mail scanners follow links. Only the form's post uses the code up. */
export default async function WelcomePage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[]>>;
}) {
  const { code } = await searchParams;
  if (typeof code === "string" && code.length <= 512 && (await isWelcome(database(), code, Date.now()))) {
    return (
      <StartFrame title="Make the first admin">
        <p className="dim">
          This link works once. The admin can add machines, change what agents probe, and see everything.
        </p>
        <WelcomeForm code={code} />
      </StartFrame>
    );
  }
  return (
    <StartFrame title="This link is not valid any more.">
      <p className="dim">
        It was used, it has expired, or it was cut short. Starting Lynceus again prints a new link as long as there is
        no admin.
      </p>
      <p>
        <a className="link" href="/login">
          Sign in
        </a>
      </p>
    </StartFrame>
  );
}
