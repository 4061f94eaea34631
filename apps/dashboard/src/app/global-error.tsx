"use client";

/** The last net: even the frame failed, so nothing of it is used here. */
export default function GlobalError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <html lang="en">
      <body
        style={{ font: "13px/20px system-ui, sans-serif", margin: 0, padding: "16vh 16px", colorScheme: "light dark" }}
      >
        <main style={{ maxWidth: 392, margin: "0 auto" }} role="alert">
          <title>Error · Lynceus</title>
          <h1 style={{ font: "500 21px/28px system-ui, sans-serif" }}>The dashboard could not be shown.</h1>
          <p>
            It or its database did not answer. Agents keep their data; nothing is lost. Error <code>PAGE_FAILED</code>,
            request <code>{error.digest ?? "unknown"}</code>.
          </p>
          <button type="button" onClick={reset}>
            Try again
          </button>
        </main>
      </body>
    </html>
  );
}
