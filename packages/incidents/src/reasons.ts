/*
 * Why something was done, or not: every decision about an incident has one of these names, which are API (add, never
 * rename), and stands on the incident's timeline with its text. docs/alerting.md explains each; a test compares.
 */

/** What happened to an incident. */
export const lifeReasons = {
  "enough-machines": "as many machines of one cause fail as make an incident",
  "important-machine": "a machine with an important tag fails",
  "site-silent": "many machines of a site fell silent while others report",
  late: "only what was reported late says so",
  "same-cause": "they share its cause",
  "common-cause": "attribution found one cause for all of them",
  "fell-apart": "its members no longer share a cause",
  "came-back": "it came back soon after it was resolved",
  "more-after-close": "other machines fail of what was closed",
  "no-member-fails": "no member failed for the hold time",
  "not-verified": "no member fails, but most fell silent and were never seen well again",
  "by-hand": "somebody closed it",
  "comes-and-goes": "it came several times within an hour",
  steady: "it was steady for the hold time",
} as const;
export type LifeReason = keyof typeof lifeReasons;

/** Why somebody was told. */
export const toldReasons = {
  opened: "it opened",
  reopened: "it came back",
  "split-off": "it was part of another incident and has a cause of its own",
  "rose-to-high": "its urgency rose to high",
  grew: "it has many more machines than when it was last told of",
  "new-site": "it reached another site",
  unacknowledged: "nobody acknowledged it",
  "step-timed-out": "the step before did not answer in time",
  "still-failing": "it was acknowledged, and still holds",
  released: "the acknowledgement was taken back",
  "silence-over": "still failing after a silence",
  "maintenance-over": "still failing after maintenance",
  "quiet-hours-over": "still failing after the quiet hours",
  "not-inhibited": "the incident that explained it is over",
  confirmed: "what was reported late is confirmed by fresh cycles",
  "comes-and-goes": "it came several times within an hour",
  acknowledged: "somebody acknowledged it",
  resolved: "no member fails any more",
  closed: "somebody closed it",
  "goes-on-elsewhere": "it goes on in another incident",
  "over-the-cap": "the receiver had its notices for this hour, so this one stands for several",
  "not-delivered": "another receiver could not be reached",
  "nobody-on-call": "nobody is on call",
  "wide-change": "it was seen on many machines",
  tried: "somebody tries the receiver",
  "handed-over": "somebody hands it over",
  "sent-by-hand": "somebody had it sent",
} as const;
export type ToldReason = keyof typeof toldReasons;

/** Why nobody was told, or not yet. */
export const heldReasons = {
  "at-risk": "at-risk findings page nobody",
  late: "late data pages nobody: a fresh cycle has to confirm it",
  silenced: "a silence covers all its machines",
  maintenance: "all its machines are in maintenance",
  inhibited: "another incident explains it",
  "quiet-hours": "low urgency waits for the end of the quiet hours",
  "group-wait": "what belongs to it may still arrive",
  "group-interval": "the group was told of a moment ago",
  flapping: "it comes and goes: told once, until it is steady",
  "nothing-fails-now": "no member fails at this moment",
  acknowledged: "somebody has it",
  "told-before": "this receiver knows of it already",
  "no-route": "no route matches",
  "no-receiver": "its route names nobody",
  "nobody-on-call": "nobody of this step is on call",
  "no-more-steps": "all escalation steps were gone through",
  "over-the-cap": "the receiver had its notices for this hour; the next digest has it",
} as const;
export type HeldReason = keyof typeof heldReasons;
