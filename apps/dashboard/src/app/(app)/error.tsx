"use client";

import { Button } from "@mantine/core";
import { useRouter } from "next/navigation";
import { startTransition } from "react";
import { StateBox } from "../../components/layout/state-box.tsx";

/** A page that could not be made. The server's own words stay in its log, under the same request id. */
export default function PageError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  const router = useRouter();
  const again = () =>
    startTransition(() => {
      router.refresh();
      reset();
    });
  return (
    <div style={{ paddingTop: 54, maxWidth: 560 }} role="alert">
      <StateBox title="This page could not be read." action={<Button onClick={again}>Try again</Button>}>
        The dashboard or its database did not answer. Agents keep their data; nothing is lost. Error{" "}
        <code>PAGE_FAILED</code>, request <code>{error.digest ?? "unknown"}</code>.
      </StateBox>
    </div>
  );
}
