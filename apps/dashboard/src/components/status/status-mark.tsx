import type { ReactNode } from "react";

/** What a mark can say: the five statuses of a machine, `at-risk` (also healthy), and `blind` (we lost sight). */
export type MarkStatus = "healthy" | "failing" | "stale" | "cannot-tell" | "at-risk" | "signed-off" | "blind";

export const statusWords: Record<MarkStatus, string> = {
  healthy: "Healthy",
  failing: "Failing",
  stale: "Stale",
  "cannot-tell": "Cannot tell",
  "at-risk": "At risk",
  "signed-off": "Signed off",
  blind: "Not seen",
};

const shapes: Record<MarkStatus, ReactNode> = {
  healthy: <circle cx="6" cy="6" r="5" fill="var(--ok-fill)" />,
  failing: <path d="M6 .4 11.6 6 6 11.6.4 6Z" fill="var(--bad-fill)" />,
  stale: (
    <>
      <circle cx="6" cy="6" r="4.8" fill="none" stroke="var(--stale)" strokeWidth="1.3" />
      <path d="M6 1.2a4.8 4.8 0 0 1 0 9.6Z" fill="var(--stale-fill)" stroke="var(--stale)" strokeWidth=".8" />
    </>
  ),
  "cannot-tell": (
    <>
      <rect x=".9" y=".9" width="10.2" height="10.2" rx="2" fill="none" stroke="var(--unk)" strokeWidth="1.4" />
      <path d="M4.4 4.6a1.65 1.65 0 1 1 2.3 1.6c-.5.2-.7.5-.7 1" fill="none" stroke="var(--unk)" strokeWidth="1.3" />
      <circle cx="6" cy="9.1" r=".75" fill="var(--unk)" />
    </>
  ),
  "at-risk": <path d="M6 1.6 11 10.4H1Z" fill="none" stroke="var(--ink2)" strokeWidth="1.3" strokeLinejoin="round" />,
  "signed-off": <path d="M2 6h8" stroke="var(--ink3)" strokeWidth="1.6" strokeLinecap="round" />,
  blind: (
    <path
      d="M1 6s2-3.2 5-3.2S11 6 11 6M1.5 10.5l9-9"
      fill="none"
      stroke="var(--stale)"
      strokeWidth="1.3"
      strokeLinecap="round"
    />
  ),
};

/** The shape of a status. It is hidden from screen readers: its word or number always stands beside it. */
export function StatusMark({ status, size = 12 }: { status: MarkStatus; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 12 12" fill="none" aria-hidden="true" style={{ flex: "none" }}>
      {shapes[status]}
    </svg>
  );
}
