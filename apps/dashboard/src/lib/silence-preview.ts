import { FilterFieldError } from "@lynceus/db/machines-filter";
import type { FleetReader } from "@lynceus/db/scope";
import { previewSilence } from "@lynceus/db/silences";
import { alertFilterProblem } from "@lynceus/protocol/alert-filter";
import type { SilencePreview } from "@lynceus/protocol/read-api-incidents";

/** What a filter matches now, or why nothing can be said of it; both null before there is a filter. */
export interface SilencePreviewAnswer {
  preview: SilencePreview | null;
  problem: string | null;
}

export async function silencePreview(db: FleetReader, match: string): Promise<SilencePreviewAnswer> {
  if (match.trim() === "") return { preview: null, problem: null };
  const problem = alertFilterProblem(match.slice(0, 512), "machine");
  if (problem !== null) return { preview: null, problem };
  try {
    return { preview: await previewSilence(db, match.slice(0, 512)), problem: null };
  } catch (error) {
    if (error instanceof FilterFieldError) return { preview: null, problem: error.message };
    throw error;
  }
}
