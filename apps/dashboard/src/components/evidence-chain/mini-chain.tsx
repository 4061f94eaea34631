import type { ReactNode } from "react";

/*
 * The evidence chain in 74 × 14 pixels, for tables: six marks from the letters of `MachineRow.chainConfigured`
 * (o ok, s slow, f failed, e failed as expected, n not reached, x not applicable).
 */

const steps = ["DNS", "TCP", "CONNECT", "TLS", "HTTP", "auth"] as const;
const words: Record<string, string> = {
  o: "ok",
  s: "slow",
  f: "failed",
  e: "failed as expected",
  n: "not reached",
  x: "not applicable",
};

/** "DNS ok, TCP ok, CONNECT failed, …"; null when the letters are not a chain. */
export function miniChainLabel(letters: string | null): string | null {
  if (!letters || letters.length !== steps.length) return null;
  const parts = steps.map((step, i) => {
    const word = words[letters[i] ?? ""];
    return word ? `${step} ${word}` : null;
  });
  return parts.every((part) => part !== null) ? parts.join(", ") : null;
}

export function MiniChain({ letters }: { letters: string | null }) {
  const label = miniChainLabel(letters);
  if (!label || !letters) return <span style={{ color: "var(--ink3)" }}>unknown</span>;
  const marks: ReactNode[] = [];
  let dark = false;
  for (let i = 0; i < letters.length; i++) {
    const x = 5 + i * 12.5;
    const letter = letters[i];
    const last = i === letters.length - 1;
    if (letter === "f" || letter === "e") {
      dark = true;
      marks.push(
        <rect
          key={`w${x}`}
          x={x - 1.7}
          y="0"
          width="3.6"
          height="14"
          rx=".8"
          fill={letter === "f" ? "var(--bad-fill)" : "var(--off)"}
        />,
      );
    } else if (dark || letter === "n") {
      dark = true;
      marks.push(<circle key={`n${x}`} cx={x} cy="7" r="1.1" fill="var(--line2)" />);
    } else if (letter === "x") {
      marks.push(
        <circle key={`x${x}`} cx={x} cy="7" r="1.8" fill="var(--panel)" stroke="var(--ok-fill)" strokeWidth="1.2" />,
      );
    } else if (letter === "s") {
      marks.push(<circle key={`s${x}`} cx={x} cy="7" r="2.6" fill="var(--stale-fill)" stroke="var(--stale)" />);
    } else {
      marks.push(<circle key={`o${x}`} cx={x} cy="7" r="2.6" fill="var(--ok-fill)" />);
    }
    if (last) continue;
    marks.push(
      dark ? (
        <path key={`l${x}`} d={`M${x + 3.5} 7h6`} stroke="var(--line2)" strokeDasharray="1.5 1.8" strokeWidth="1.2" />
      ) : (
        <path key={`l${x}`} d={`M${x + 3} 7h7`} stroke="var(--ok-fill)" strokeWidth="1.5" />
      ),
    );
  }
  return (
    <svg width="74" height="14" viewBox="0 0 74 14" role="img" aria-label={label} style={{ display: "block" }}>
      {marks}
    </svg>
  );
}
