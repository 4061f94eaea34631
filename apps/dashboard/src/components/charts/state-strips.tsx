import styles from "./charts.module.css";

export type StripState = "ok" | "bad" | "expected" | "stale" | "unknown";

export interface StripSegment {
  /** Fractions of the range, 0 to 1. */
  from: number;
  to: number;
  state: StripState;
  /** For the tooltip: "proxy-auth-required, 02:29 to 03:14". */
  title: string;
}

export interface Strip {
  label: string;
  segments: StripSegment[];
  /** The whole row in words. */
  sentence: string;
}

const fills: Record<StripState, string> = {
  ok: "var(--ok-fill)",
  bad: "var(--bad-fill)",
  /** Fails by design. */
  expected: "var(--off)",
  stale: "var(--stale-fill)",
  unknown: "var(--unk-fill)",
};

/** State of each target over time. Failing is hatched as well, so that it reads without colour; no data is a gap. */
export function StateStrips({
  strips,
  ticks,
  events,
}: {
  strips: Strip[];
  ticks: { at: number; label: string }[];
  events: { at: number; label: string }[];
}) {
  return (
    <div className={styles.strips} style={{ paddingTop: events.length > 0 ? 14 : 0 }}>
      <svg width="0" height="0" style={{ position: "absolute" }} aria-hidden="true">
        <defs>
          <pattern id="strip-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <path d="M0 0V6" stroke="var(--panel)" strokeWidth="1.5" opacity=".5" />
          </pattern>
        </defs>
      </svg>
      {strips.map((strip) => (
        <div key={strip.label} className={styles.strip}>
          <span title={strip.label}>{strip.label}</span>
          <svg role="img" aria-label={`${strip.label}: ${strip.sentence}`}>
            {strip.segments.map((segment) => (
              <g key={`${segment.from}-${segment.state}`}>
                <title>{segment.title}</title>
                {[fills[segment.state], ...(segment.state === "bad" ? ["url(#strip-hatch)"] : [])].map((fill) => (
                  <rect
                    key={fill}
                    x={`${round(segment.from * 100)}%`}
                    width={`${round(Math.max(segment.to - segment.from, 0.004) * 100)}%`}
                    y="0"
                    height="18"
                    rx="1.5"
                    fill={fill}
                    opacity={segment.state === "ok" ? 0.55 : 1}
                  />
                ))}
              </g>
            ))}
          </svg>
        </div>
      ))}
      <div className={styles.axis} aria-hidden="true">
        <div>
          {ticks.map((tick) => (
            <span key={tick.label} style={{ left: `${round(tick.at * 100)}%` }}>
              {tick.label}
            </span>
          ))}
        </div>
      </div>
      {events.length > 0 ? (
        <div className={styles.lines} aria-hidden="true">
          <div>
            {events.slice(0, 4).map((event) => (
              <div
                key={event.label}
                className={styles.event}
                data-end={event.at > 0.85}
                style={{ left: `${round(event.at * 100)}%` }}
              >
                <span>{event.label}</span>
              </div>
            ))}
          </div>
        </div>
      ) : null}
    </div>
  );
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
