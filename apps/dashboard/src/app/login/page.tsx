import { Button, PasswordInput, TextInput } from "@mantine/core";
import type { Metadata } from "next";
import { redirect } from "next/navigation";
import styles from "../../components/shell/start-frame.module.css";
import { StartFrame } from "../../components/shell/start-frame.tsx";
import { Banner } from "../../components/status/banner.tsx";
import { database } from "../../lib/db.ts";
import { nextPath } from "../../lib/next-path.ts";
import { currentUser } from "../../lib/session.ts";
import { readSignOn } from "../../lib/sign-on/settings.ts";

export const metadata: Metadata = { title: "Sign in" };

const errors: Record<string, string> = {
  wrong: "No account has this address and password.",
  wait: "Too many wrong passwords. Signing in is possible again within a minute.",
  origin: "The form was sent from another site, so nothing was done.",
  failed: "The account could not be read: the database did not answer. Agents keep their data.",
  code: "The sign-in took too long. Begin again with the password.",
  "sso-off": "Single sign-on is not set up here.",
  "sso-down": "The sign-on provider did not answer. Accounts with a password can sign in.",
  "sso-failed": "The sign-on provider's answer could not be used. The dashboard's log says why.",
  "sso-refused": "The sign-on provider did not let you in.",
  "sso-group": "None of your groups may sign in here. An admin says which do, under Settings, Sign-on.",
  "sso-linked":
    "An account with your address exists here, and the provider does not say that the address is yours. An admin can allow it.",
  "sso-email": "The sign-on provider gave no address for you.",
  "sso-disabled": "This account is disabled.",
};

export default async function LoginPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[]>>;
}) {
  const query = await searchParams;
  const next = nextPath(query.next);
  if ((await currentUser()) !== null) redirect(next);
  const error = typeof query.error === "string" && Object.hasOwn(errors, query.error) ? errors[query.error] : undefined;
  const signOn = await readSignOn(database());
  const sso = signOn?.enabled ? signOn : null;
  return (
    <StartFrame title="Sign in">
      {error === undefined ? null : (
        <Banner tone="bad" mark="failing">
          {error}
        </Banner>
      )}
      {sso === null ? null : (
        <>
          <form action="/api/sign-in/sso" method="post" className={styles.form}>
            <input type="hidden" name="next" value={next} />
            <Button type="submit" variant="filled" size="md" fullWidth>
              Sign in with {sso.name}
            </Button>
          </form>
          <p className={styles.or}>
            <span>or with a password</span>
          </p>
        </>
      )}
      <form action="/api/sign-in" method="post" className={styles.form}>
        <input type="hidden" name="next" value={next} />
        <TextInput
          label="Email"
          name="email"
          type="email"
          autoComplete="username"
          required
          autoFocus={sso === null}
          maxLength={320}
        />
        <PasswordInput label="Password" name="password" autoComplete="current-password" required maxLength={128} />
        <Button type="submit" variant={sso === null ? "filled" : "default"} size="md" fullWidth>
          Sign in
        </Button>
      </form>
      <p className="dim">Accounts are made by an admin. Nothing can be signed up for here.</p>
    </StartFrame>
  );
}
