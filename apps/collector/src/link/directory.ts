import type { Database } from "@lynceus/db/client";
import { enrolMachine } from "@lynceus/db/enrollment";
import { findIdentities, findLost, type Identity, noteSeen } from "@lynceus/db/identity";
import { clearConnected, setConnected } from "@lynceus/db/machines";
import { notePolicyVersions } from "@lynceus/db/traits";
import { emptyState } from "@lynceus/diagnosis/state";
import type { AgentMessage } from "@lynceus/protocol/messages";
import { gatherer } from "../gather.ts";
import type { RejectReason } from "./agent-socket.ts";

type EnrollMessage = Extract<AgentMessage, { type: "enroll" }>;

export interface KnownMachine {
  readonly publicKey: Uint8Array;
  readonly revoked: boolean;
  readonly epoch: string | null;
  readonly lastSeq: number;
}

export type EnrollResult =
  | { readonly ok: true; readonly machineId: string; readonly approved: boolean }
  | { readonly ok: false; readonly reason: RejectReason; readonly message: string };

const refusals = {
  "bad-token": "the enrolment token is unknown or was revoked; make a new one",
  "token-expired": "the enrolment token is over; make a new one",
  "token-used-up": "the enrolment token has no use left; make a new one",
  revoked: "this machine's key was revoked by an admin",
} as const;

/** Ids per statement. */
const chunk = 5_000;
/** Revocations remembered, so that a hello that is being looked up meanwhile does not slip through. */
const recentRevocations = 10_000;

/** Who the machines are, and which of them are connected here. Connections are written down in bulk. */
export function createDirectory({ db, collectorId, now }: { db: Database; collectorId: string; now: () => number }) {
  const pending = new Map<string, boolean>();
  const policies = new Map<string, number>();
  const revoked = new Set<string>();
  const identities = gatherer<Identity>((ids) => findIdentities(db, ids));
  let writing: Promise<void> = Promise.resolve();

  return {
    async identify(machineId: string): Promise<KnownMachine | null> {
      const found = await identities.find(machineId);
      if (!found) return null;
      const { publicKey, epoch, lastSeq } = found;
      return { publicKey, revoked: found.revokedAt !== null || revoked.has(machineId), epoch, lastSeq };
    },

    async enroll(message: EnrollMessage): Promise<EnrollResult> {
      const result = await enrolMachine(db, {
        secret: message.token,
        now: new Date(now()),
        publicKey: Buffer.from(message.publicKey, "base64"),
        hostname: message.hostname,
        os: message.os,
        agentVersion: message.agentVersion,
        simulated: message.simulated,
        site: message.site,
        tags: message.tags,
        state: emptyState(),
      });
      if (result.ok) return result;
      return { ok: false, reason: result.reason, message: refusals[result.reason] };
    },

    /** Which of these machines are revoked or gone: asked after events may have been missed. */
    revokedAmong: (machineIds: readonly string[]): Promise<string[]> => findLost(db, machineIds),

    noteRevoked(machineId: string): void {
      revoked.add(machineId);
      if (revoked.size > recentRevocations) for (const oldest of revoked) return void revoked.delete(oldest);
    },

    connected(machineId: string): void {
      pending.set(machineId, true);
    },
    disconnected(machineId: string): void {
      pending.set(machineId, false);
    },

    /** Writes down who came and went since the last time; one write at a time, the last word of each machine. */
    flushConnections(): Promise<void> {
      writing = writing.then(async () => {
        if (pending.size === 0) return;
        const changes = [...pending];
        pending.clear();
        const ids = (state: boolean) => changes.filter(([, up]) => up === state).map(([id]) => id);
        try {
          for (const [up, all] of [
            [true, ids(true)],
            [false, ids(false)],
          ] as const)
            for (let start = 0; start < all.length; start += chunk) {
              const part = all.slice(start, start + chunk);
              if (up) await setConnected(db, part, collectorId);
              else await clearConnected(db, collectorId, part);
            }
        } catch (error) {
          for (const [id, up] of changes) if (!pending.has(id)) pending.set(id, up);
          throw error;
        }
      });
      const result = writing;
      // The next write does not depend on this one.
      writing = writing.catch(() => {});
      return result;
    },

    /** A machine said which policy it holds. */
    policySeen(machineId: string, version: number): void {
      policies.set(machineId, version);
    },

    /** Writes down which policies machines hold since the last time. */
    async flushPolicies(): Promise<void> {
      const all = [...policies].map(([machineId, version]) => ({ machineId, version }));
      policies.clear();
      for (let start = 0; start < all.length; start += chunk) {
        try {
          await notePolicyVersions(db, all.slice(start, start + chunk), new Date(now()));
        } catch (error) {
          for (const { machineId, version } of all.slice(start))
            if (!policies.has(machineId)) policies.set(machineId, version);
          throw error;
        }
      }
    },

    /** Notes that these machines were heard until now, in bulk. */
    flushSeen: (machineIds: Iterable<string>): Promise<void> => noteSeen(db, [...machineIds], new Date(now())),
  };
}

export type Directory = ReturnType<typeof createDirectory>;
