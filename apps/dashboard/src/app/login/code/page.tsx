import { Button, TextInput } from "@mantine/core";
import type { Metadata } from "next";
import Link from "next/link";
import { redirect } from "next/navigation";
import styles from "../../../components/shell/start-frame.module.css";
import { StartFrame } from "../../../components/shell/start-frame.tsx";
import { Banner } from "../../../components/status/banner.tsx";
import { nextPath } from "../../../lib/next-path.ts";
import { currentUser } from "../../../lib/session.ts";

export const metadata: Metadata = { title: "Code" };

const errors: Record<string, string> = {
  wrong: "The code is not right, or the sign-in took too long.",
  wait: "Too many wrong codes. The next one is welcome in a minute.",
  failed: "The account could not be read: the database did not answer. Agents keep their data.",
};

/** The second step of signing in. */
export default async function CodePage({ searchParams }: { searchParams: Promise<Record<string, string | string[]>> }) {
  const query = await searchParams;
  const next = nextPath(query.next);
  if ((await currentUser()) !== null) redirect(next);
  const error = typeof query.error === "string" && Object.hasOwn(errors, query.error) ? errors[query.error] : undefined;
  return (
    <StartFrame title="Code of the app">
      {error === undefined ? null : (
        <Banner tone="bad" mark="failing">
          {error}
        </Banner>
      )}
      <p className="dim">
        The authenticator app shows six digits. Without the phone, one of the recovery codes does; each works once.
      </p>
      <form action="/api/sign-in/code" method="post" className={styles.form}>
        <input type="hidden" name="next" value={next} />
        <TextInput
          label="Code"
          name="code"
          autoComplete="one-time-code"
          required
          autoFocus
          maxLength={64}
          spellCheck={false}
          classNames={{ input: "mono" }}
        />
        <Button type="submit" variant="filled" size="md" fullWidth>
          Sign in
        </Button>
      </form>
      <p>
        <Link className="link" href="/login">
          Begin again
        </Link>
      </p>
    </StartFrame>
  );
}
