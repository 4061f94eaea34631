import { formatCount, formatShare } from "@lynceus/protocol/present";
import type { Proportion as Figures } from "@lynceus/protocol/read-api-tools";

const percent = (share: number) => formatShare(share, 1);

/** A proportion with what it is of: the share only where there are enough cases, and then with its 95 % interval. */
export function Proportion({ of: figures }: { of: Figures | null }) {
  if (figures === null || figures.of === 0 || figures.share === null) return <span className="dim">no reports</span>;
  const counts = `${formatCount(figures.hits)} of ${formatCount(figures.of)}`;
  if (figures.few) {
    return (
      <>
        {counts} <span className="dim">too few for a share</span>
      </>
    );
  }
  return (
    <>
      <b>{percent(figures.share)}</b>{" "}
      <span className="dim">
        {counts}
        {figures.low === null || figures.high === null
          ? ""
          : `; 95 %: ${percent(figures.low)} to ${percent(figures.high)}`}
      </span>
    </>
  );
}
