import type { Scope } from "@lynceus/protocol/access";
import type {
  AttributionKey,
  Confidence,
  Location,
  MachineStatus,
  PatternId,
  Severity,
  Verdict,
} from "@lynceus/protocol/names";
import type { Urgency } from "@lynceus/protocol/notice";
import type { HeldReason, LifeReason, ToldReason } from "./reasons.ts";

/*
 * What this package takes and gives. All instants are milliseconds since 1970 and come from outside: nothing here reads
 * a clock.
 */

/** A machine that fails, is part of a silent site, or belongs to an incident; healthy ones need not be given. */
export interface Machine {
  readonly id: string;
  readonly hostname: string;
  readonly site: string | null;
  readonly tags: readonly string[];
  readonly location: Location;
  readonly simulated: boolean;
  readonly os: string;
  readonly agentVersion: string;
  readonly status: MachineStatus;
  /** When the present status began. */
  readonly since: number;
  /** Of EWS on the configured route, last seen. */
  readonly verdict: Verdict | null;
  /** Primary finding; null while no pattern passed its hold time (domain 5: two cycles). */
  readonly primary: {
    readonly pattern: PatternId;
    readonly severity: Severity;
    readonly confidence: Confidence;
    readonly cause: string;
  } | null;
  /** All raised patterns. */
  readonly patterns: readonly PatternId[];
  /** What it may share with others, as attribution compares it. */
  readonly values: Readonly<Partial<Record<AttributionKey, string | null>>>;
  /** Ids of the targets that are bad on their configured route. */
  readonly targets: readonly string[];
  /** Not heard of for three cycles, as after an outage of ours: what it shows is of then, and nothing confirms it. */
  readonly late: boolean;
}

/** An open cause of attribution. */
export interface OpenCause {
  readonly id: string;
  readonly simulated: boolean;
  readonly location: Location;
  readonly key: AttributionKey;
  readonly value: string;
  readonly confidence: Confidence;
  /** "Proxy px1:8080 explains 347 of the 351 failing machines". */
  readonly text: string;
  readonly explains: number;
  readonly of: number;
  readonly healthyWith: number;
  readonly healthyWithout: number;
  /** Machines that it explained when it was last looked at; only needed where `values` of a machine lack the key. */
  readonly members?: ReadonlySet<string>;
}

/** `failing`: machines that cannot reach Exchange; `silent`: a site that was lost sight of. */
export type IncidentKind = "failing" | "silent";

/** Where an incident is, by machines, the worst first. */
export interface SiteSpread {
  readonly site: string | null;
  readonly machines: number;
  /** Reporting machines of the site. */
  readonly of: number;
}

/** What has been told of an incident by one route. */
export interface Telling {
  /** Since when it could be told of; the group wait counts from here. */
  readonly since: number;
  /** Why it is told when it is. */
  readonly reason: ToldReason;
  /** The same in words, ready to show. */
  readonly why: string;
  /** What joins it with other incidents of the route. */
  readonly group: string;
  /** When it was last told of to wake or remind somebody; null: not yet in this opening. */
  readonly toldAt: number | null;
  readonly told: { readonly machines: number; readonly urgency: Urgency; readonly sites: readonly string[] } | null;
  /**
   * Receivers that know of it and hear of its end, each with the number of the incident under which they know it: after
   * a merge that may be the one that was merged.
   */
  readonly receivers: Readonly<Record<string, number>>;
  /** Receivers that were over their cap: the next digest has it. */
  readonly overCap: readonly string[];
  /** The escalation step that waits for an answer. */
  readonly step: { readonly index: number; readonly round: number; readonly at: number } | null;
  readonly endTold: boolean;
  readonly flappingTold: boolean;
  /** The acknowledgement that they know of, by its instant. */
  readonly acknowledgedTold: number | null;
  /** Why nothing was told when it was last looked at, and by which silence, window or incident. */
  readonly held: HeldReason | null;
  readonly heldBy: string | null;
}

export interface Acknowledgement {
  readonly by: string;
  readonly at: number;
  /** dashboard, api, link, or the id of the receiver that told us. */
  readonly via: string;
  /** Id in the configuration, where it is one of its people. */
  readonly person: string | null;
}

export interface Ending {
  readonly at: number;
  readonly how: "resolved" | "not-verified" | "closed" | "merged";
  readonly by: string | null;
  readonly note: string;
  /** Of `merged`: the incident that it goes on in. */
  readonly into: number | null;
}

/** An incident, without its members. */
export interface Incident {
  readonly number: number;
  readonly kind: IncidentKind;
  readonly simulated: boolean;
  readonly location: Location;
  /** The group that it is now, and all that it has been: what comes under one of these names belongs to it. */
  readonly key: string;
  readonly keys: readonly string[];
  /** How much the present group says: 1 a shared cause, 2 a pattern of the fleet, 3 what machines show by themselves. */
  readonly rank: number;
  readonly causeId: string | null;
  /** Null: no known pattern explains it. */
  readonly pattern: PatternId | null;
  readonly severity: Severity;
  readonly confidence: Confidence;
  /** "px1.contoso.com asks for its own login". */
  readonly title: string;
  /** What attribution says: "Proxy px1 explains 347 of the 351 failing machines …"; null without a shared cause. */
  readonly explanation: string | null;
  /** From the first member's finding; filled in by whoever can read it. */
  readonly evidence: string | null;
  readonly urgency: Urgency;
  readonly openedAt: number;
  readonly openedBecause: LifeReason;
  /** When the first of its machines began to fail. */
  readonly since: number;
  /** Members that fail, and that fell silent before they were seen well again. Of a silent site: all are "failing". */
  readonly failing: number;
  readonly silent: number;
  /** Most members at once. */
  readonly peak: number;
  readonly sites: readonly SiteSpread[];
  /** Since when no member fails; null while one does. */
  readonly quietSince: number | null;
  /** When it began to fail anew, the latest last; at most twelve. */
  readonly openings: readonly number[];
  /** Since when it comes and goes; null: it does not. */
  readonly flappingSince: number | null;
  readonly acknowledged: Acknowledgement | null;
  readonly ended: Ending | null;
  readonly splitFrom: number | null;
  /** Groups within it that may become incidents of their own, and since when they stand apart. */
  readonly apart: Readonly<Record<string, number>>;
  /** By id of the route. */
  readonly tellings: Readonly<Record<string, Telling>>;
  /** Notices so far: part of their keys. */
  readonly notices: number;
  /** Machines that joined after it was closed by hand. */
  readonly joinedSinceClose: number;
  /** Its size as the timeline last had it. */
  readonly noted: { readonly at: number; readonly failing: number };
}

export type EventKind =
  | "opened"
  /** Machines came or went. */
  | "spread"
  | "cause"
  | "severity"
  | "urgency"
  | "merged"
  | "split"
  | "reopened"
  | "flapping"
  | "steady"
  | "resolved"
  | "told"
  | "held";

/** An entry of an incident's timeline. */
export interface IncidentEvent {
  readonly incident: number;
  readonly at: number;
  readonly kind: EventKind;
  readonly reason: LifeReason | ToldReason | HeldReason | null;
  /** Ready to show. */
  readonly text: string;
  /** Numbers and ids behind the text. */
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
}

/** A silence in force. */
export interface Silence {
  readonly id: string;
  readonly match: string;
  readonly author: string;
  readonly comment: string;
  readonly startsAt: number;
  readonly endsAt: number;
  /** The part of the fleet that its author saw: it covers no other machine. */
  readonly scope: Scope;
}
