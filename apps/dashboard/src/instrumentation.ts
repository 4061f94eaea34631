/** Next.js calls this once, before the first request. Its own spans follow when tracing is on. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { surviveUnreadLog } = await import("./lib/unread-log.ts");
    surviveUnreadLog();
    const { startTracing } = await import("@lynceus/telemetry/tracing");
    await startTracing({ service: "lynceus-dashboard", version: process.env.LYNCEUS_VERSION ?? "", env: process.env });
  }
}
