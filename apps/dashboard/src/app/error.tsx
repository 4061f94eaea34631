"use client";

import { Button } from "@mantine/core";
import { StartFrame } from "../components/shell/start-frame.tsx";

/** As the pages' own error, for those outside the sidebar. */
export default function StartError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <StartFrame title="This page could not be read.">
      <p className="dim" role="alert">
        The dashboard or its database did not answer. Agents keep their data; nothing is lost. Error{" "}
        <code>PAGE_FAILED</code>, request <code>{error.digest ?? "unknown"}</code>.
      </p>
      <Button onClick={reset}>Try again</Button>
    </StartFrame>
  );
}
