import { currentPolicy } from "@lynceus/db/policies";
import type { Metadata } from "next";
import Link from "next/link";
import { StartFrame } from "../../components/shell/start-frame.tsx";
import { database } from "../../lib/db.ts";
import { requireRight } from "../../lib/session.ts";
import { emptySetup, setupOf } from "../../lib/setup-input.ts";
import { SetupForm } from "./setup-form.tsx";

export const metadata: Metadata = { title: "Servers and domains" };

/** Shown first when there is no policy; later from Settings, to correct what was saved. */
export default async function SetupPage() {
  await requireRight("configure");
  const policy = await currentPolicy(database());
  return (
    <StartFrame wide title={policy === null ? "Which Exchange and Lync should machines reach?" : "Servers and domains"}>
      <p className="dim">
        {policy === null
          ? "Agents probe nothing until this is saved. Lynceus can look for the servers the way clients do: by autodiscover and DNS. It sends no credentials."
          : `Version ${policy.version} is in force. What is saved here is the next version; test it on one machine or a part of the fleet first, if you like.`}
      </p>
      <SetupForm initial={policy === null ? emptySetup() : setupOf(policy.body)} first={policy === null} />
      {policy === null ? null : (
        <p>
          <Link className="link" href="/targets">
            Back to Targets and policies
          </Link>
        </p>
      )}
    </StartFrame>
  );
}
