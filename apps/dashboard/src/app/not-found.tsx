import Link from "next/link";
import { StartFrame } from "../components/shell/start-frame.tsx";

export default function NotFound() {
  return (
    <StartFrame title="Nothing is at this address.">
      <p className="dim">A machine may have been retired, or the link was cut short.</p>
      <p>
        <Link className="link" href="/">
          Go to the overview
        </Link>
      </p>
    </StartFrame>
  );
}
