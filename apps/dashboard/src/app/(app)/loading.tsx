import { Panel } from "../../components/layout/panel.tsx";
import { Skeleton } from "../../components/layout/skeleton.tsx";

export default function Loading() {
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
