import type { AttributionKey, Confidence, Location } from "@lynceus/protocol/names";

/*
 * Attribution: which shared value separates the failing machines from the healthy ones (design.md "diagnose"). One
 * machine is a `Subject`; what it says is compared within one location only (domain 5.0 rule 3).
 */

/** The value of a key that was looked for and is not there: no proxy, no script, no recent change. Null is "not known". */
export const none = "none";

/** A machine's value of each key. Absent or null: not known, which is neither sharing nor not sharing. */
export type SubjectValues = Readonly<Partial<Record<AttributionKey, string | null>>>;

/** One machine, as attribution sees it. Machines that take no part in fleet findings (rules 1 and 17) are none. */
export interface Subject {
  readonly id: string;
  readonly location: Location;
  /** Null: cannot tell, stale or signed off. It counts on neither side. */
  readonly failing: boolean | null;
  /** When it began to fail, milliseconds since 1970; null where it does not, or is not known. */
  readonly failingSince: number | null;
  readonly values: SubjectValues;
}

/** Something that changed on one or many machines, or on a server they share. */
export interface ChangeEvent {
  /** When it was first seen. */
  readonly at: number;
  /** Stable name of the change, which joins it over machines: `pac:9f3c1e→41ab07`. */
  readonly changeKey: string;
  /** Ready to show: "Script content 9f3c1e → 41ab07". */
  readonly text: string;
  /** The key that it changed, and the value after it; null where it is none of the keys. */
  readonly key: AttributionKey | null;
  readonly value: string | null;
  /** Ids of the machines that it was seen on; empty where it is not known. */
  readonly machines: readonly string[];
}

/** The four fields of a comparison, and those of whom the value is not known. */
export interface Counts {
  readonly failingWith: number;
  readonly failingWithout: number;
  readonly failingUnknown: number;
  readonly healthyWith: number;
  readonly healthyWithout: number;
  readonly healthyUnknown: number;
}

/** A value and how it separates; what the bars of an incident show. */
export interface Candidate extends Counts {
  readonly key: AttributionKey;
  readonly value: string;
  /** Natural logarithm of Fisher's exact p, one-sided; 0 where it does not separate. */
  readonly logP: number;
}

/** The change nearest before the first failure, and why it is believed to belong to the cause. */
export interface PrecedingChange {
  readonly at: number;
  readonly changeKey: string;
  readonly text: string;
  /** `value`: it set the cause's own value. `machines`: most of the cause's machines saw it, and few healthy ones. */
  readonly by: "value" | "machines";
  /** Of the cause's failing machines, those that it was seen on. */
  readonly seenOn: number;
}

export interface Cause extends Candidate {
  /** Failing machines that share the value, of all failing ones of the location: "explains 347 of 351". */
  readonly explains: number;
  readonly of: number;
  /** Of `explains`, those that no earlier cause of the list explains. */
  readonly adds: number;
  readonly confidence: Confidence;
  /** When the first of its machines began to fail; null where not known. */
  readonly firstSeen: number | null;
  readonly change: PrecedingChange | null;
  /** Ids of the failing machines that it explains, sorted. */
  readonly members: readonly string[];
  /** Healthy with it, sorted, the first `maxCounterExamples`. Their number is `healthyWith`. */
  readonly healthyMembers: readonly string[];
  /** Failing without it, sorted, the first `maxCounterExamples`. Their number is `failingWithout`. */
  readonly failingOthers: readonly string[];
  /** Causes that hold for the same machines and are less specific: "also: site Bern". */
  readonly also: readonly { readonly key: AttributionKey; readonly value: string }[];
}

/** Ids shown of counter-examples. */
export const maxCounterExamples = 20;

/** Why no cause is named. */
export type NoCause =
  /** Nothing fails. */
  | "nothing-failing"
  /** No machine is healthy, so nothing can be compared. */
  | "no-control-group"
  /** Fewer machines fail than can show anything. */
  | "too-few"
  /** Nothing that the failing machines share sets them apart from the healthy ones. */
  | "nothing-separates";

/** What is said about the failing machines of one location. */
export interface Attribution {
  readonly at: number;
  readonly location: Location;
  readonly failing: number;
  readonly healthy: number;
  /** Neither: cannot tell. */
  readonly undecided: number;
  /** Strongest first. */
  readonly causes: readonly Cause[];
  /** Null where there is a cause. */
  readonly noCause: NoCause | null;
  /** Failing machines that no cause explains, sorted: "these 4 do not fit". */
  readonly unexplained: readonly string[];
  /** The best value of each key, whether named as a cause or not, the strongest first. */
  readonly candidates: readonly Candidate[];
}

/** Counts per key and value, kept up machine by machine. Made by `createAttributionIndex`. */
export interface AttributionIndex {
  /** Adds the machine, or replaces what was known of it. Order does not matter. */
  set(subject: Subject): void;
  /** Forgets a machine: revoked, unapproved, cloned, no longer fresh. */
  delete(id: string): void;
  readonly size: number;
  /** What is said about a location's failing machines, or about those of them that `cohort` names (an incident's). */
  attribute(location: Location, options: AttributeOptions): Attribution;
  /** Locations with a machine. */
  locations(): readonly Location[];
}

export interface AttributeOptions {
  readonly changes: readonly ChangeEvent[];
  readonly now: number;
  /** Ids; the failing machines outside it count on neither side. */
  readonly cohort?: ReadonlySet<string>;
}
