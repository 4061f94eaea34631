import { Panel } from "./panel.tsx";
import { Skeleton } from "./skeleton.tsx";

/** A page that is being read. */
export function PageSkeleton() {
  return (
    <div style={{ paddingTop: 54 }}>
      <Panel label="Loading">
        <div style={{ padding: 14, minHeight: 172 }}>
          <Skeleton lines={6} />
        </div>
      </Panel>
    </div>
  );
}
