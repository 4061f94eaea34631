import type { ReactNode } from "react";

/** One line-drawn set, 16 × 16, `currentColor`. Never without words beside it (the rail has tooltips). */
const paths = {
  overview: <path d="M2 13V7M6 13V3M10 13V9M14 13V5" />,
  machines: (
    <>
      <rect x="2" y="3" width="12" height="8" rx="1.5" />
      <path d="M5.5 13.5h5" />
    </>
  ),
  causes: (
    <>
      <path d="M8 2.2 13.8 8 8 13.8 2.2 8Z" />
      <path d="M8 5.6v2.6M8 10.4h.01" />
    </>
  ),
  incidents: <path d="M8 2 14 8 8 14 2 8Z" />,
  silences: (
    <path d="M3 3l10 10M4.5 6.5V8c0 2-1.5 3-1.5 3h7M12 9.5c-.5-.5-.5-1-.5-1.5V6.5a3.5 3.5 0 0 0-5.5-2.9M7 13.5h2" />
  ),
  onCall: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="M8 4.8V8l2.3 1.5" />
    </>
  ),
  alerting: <path d="M3 11.3c1-.9 1.5-2 1.5-3.8V6.5a3.5 3.5 0 0 1 7 0v1c0 1.8.5 2.9 1.5 3.8ZM6.8 13.5h2.4" />,
  changes: <path d="M2.5 5.5h10M10 3l2.5 2.5L10 8M13.5 10.5h-10M6 8l-2.5 2.5L6 13" />,
  patterns: (
    <>
      <rect x="2.5" y="2.5" width="4.5" height="4.5" rx="1" />
      <rect x="9" y="2.5" width="4.5" height="4.5" rx="1" />
      <rect x="2.5" y="9" width="4.5" height="4.5" rx="1" />
      <circle cx="11.2" cy="11.2" r="2.3" />
    </>
  ),
  sites: (
    <path d="M8 14s4.5-4.2 4.5-7.6a4.5 4.5 0 0 0-9 0C3.5 9.8 8 14 8 14ZM8 7.9a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3" />
  ),
  canary: <path d="M6 2.5h4M7 2.5v4L3.2 12.4a.8.8 0 0 0 .7 1.1h8.2a.8.8 0 0 0 .7-1.1L9 6.5v-4M5 10h6" />,
  targets: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <circle cx="8" cy="8" r="2" />
      <path d="M8 .8v2.7M8 12.5v2.7M.8 8h2.7M12.5 8h2.7" />
    </>
  ),
  report: <path d="M3 3h10v7.5H7.5L4.5 13v-2.5H3ZM8 5v2.2M8 8.9h.01" />,
  enrolment: (
    <>
      <rect x="2" y="3" width="12" height="8" rx="1.5" />
      <path d="M5.5 13.5h5M8 5v4M6 7h4" />
    </>
  ),
  settings: (
    <>
      <circle cx="8" cy="8" r="2" />
      <path d="M8 2v2M8 12v2M2 8h2M12 8h2M3.8 3.8l1.4 1.4M10.8 10.8l1.4 1.4M12.2 3.8l-1.4 1.4M5.2 10.8l-1.4 1.4" />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4" />
      <path d="m10 10 3.5 3.5" />
    </>
  ),
  person: (
    <>
      <circle cx="8" cy="5.5" r="2.5" />
      <path d="M3 13.5c.6-2.6 2.5-4 5-4s4.4 1.4 5 4" />
    </>
  ),
  leave: <path d="M9.5 3H4v10h5.5M7 8h7M11.5 5.5 14 8l-2.5 2.5" />,
  down: <path d="m4.5 6.5 3.5 3.5 3.5-3.5" />,
  right: <path d="m6.5 4.5 3.5 3.5-3.5 3.5" />,
  copy: (
    <>
      <rect x="5" y="5" width="8.5" height="8.5" rx="1.5" />
      <path d="M11 5V3.5A1 1 0 0 0 10 2.5H3.5a1 1 0 0 0-1 1V10a1 1 0 0 0 1 1H5" />
    </>
  ),
  probe: <path d="M5 3.5v9l7-4.5Z" />,
  check: <path d="m3.5 8.5 3 3 6-7" />,
  close: <path d="m4 4 8 8M12 4l-8 8" />,
  keys: (
    <>
      <rect x="1.5" y="4" width="13" height="8" rx="1.5" />
      <path d="M4 6.5h.01M6.5 6.5h.01M9 6.5h.01M11.5 6.5h.01M5 9.5h6" />
    </>
  ),
  scheme: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="M8 2.5v11a5.5 5.5 0 0 0 0-11Z" fill="currentColor" />
    </>
  ),
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 15 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {paths[name]}
    </svg>
  );
}
