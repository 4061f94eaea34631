import { Button, PasswordInput, TextInput } from "@mantine/core";
import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { StartFrame } from "../../components/shell/start-frame.tsx";
import { Banner } from "../../components/status/banner.tsx";
import { nextPath } from "../../lib/next-path.ts";
import { currentUser } from "../../lib/session.ts";

export const metadata: Metadata = { title: "Sign in" };

const errors: Record<string, string> = {
  wrong: "No account has this address and password.",
  wait: "Too many wrong passwords. Signing in is possible again within a minute.",
  origin: "The form was sent from another site, so nothing was done.",
  failed: "The account could not be read: the database did not answer. Agents keep their data.",
};

export default async function LoginPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[]>>;
}) {
  const query = await searchParams;
  const next = nextPath(query.next);
  if ((await currentUser()) !== null) redirect(next);
  const error = typeof query.error === "string" ? errors[query.error] : undefined;
  return (
    <StartFrame title="Sign in">
      {error === undefined ? null : (
        <Banner tone="bad" mark="failing">
          {error}
        </Banner>
      )}
      <form action="/api/sign-in" method="post" style={{ display: "grid", gap: 14 }}>
        <input type="hidden" name="next" value={next} />
        <TextInput label="Email" name="email" type="email" autoComplete="username" required autoFocus maxLength={320} />
        <PasswordInput label="Password" name="password" autoComplete="current-password" required maxLength={128} />
        <Button type="submit" variant="filled" size="md">
          Sign in
        </Button>
      </form>
      <p className="dim">Accounts are made by an admin. Nothing can be signed up for here.</p>
    </StartFrame>
  );
}
