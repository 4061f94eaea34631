import type { AlertingConfig, Route } from "@lynceus/protocol/alerting";
import type { Notice, NoticeKind, Urgency } from "@lynceus/protocol/notice";
import { formatDuration } from "@lynceus/protocol/present";
import { type ComposeContext, compose, threadOf } from "./compose.ts";
import { hoursAt } from "./hours.ts";
import { createInhibitions } from "./inhibit.ts";
import type { Muter } from "./mute.ts";
import { type HeldReason, heldReasons, type ToldReason, toldReasons } from "./reasons.ts";
import { type Contact, createRouting, type Routing } from "./routing.ts";
import type { Spread } from "./spread.ts";
import type { Incident, IncidentEvent, Machine, Telling } from "./types.ts";
import { clockText } from "./wall-clock.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
/** Between two digests of one receiver: shorter where something urgent waits for it. */
const digestMs = { high: 5 * minute, low: 15 * minute } as const;
/** Under this name stands why no route was found. */
const noRoute = "-";

/** What a receiver had lately. */
export interface ReceiverUse {
  /** Instants of its notices of the last hour. */
  readonly sent: readonly number[];
  readonly digestAt: number | null;
}

export interface PlanInput {
  readonly now: number;
  /** As `reconcile` gave them, those that ended included. */
  readonly incidents: readonly Incident[];
  readonly spreads: ReadonlyMap<number, Spread>;
  readonly failing: ReadonlyMap<number, readonly Machine[]>;
  readonly config: AlertingConfig;
  readonly muters: readonly Muter[];
  readonly receivers: ReadonlyMap<string, ReceiverUse>;
  readonly compose: Omit<ComposeContext, "now">;
}

/** A notice that is to be sent. */
export interface PlannedNotice {
  readonly key: string;
  readonly incident: number;
  readonly incidents: readonly number[];
  readonly receiver: string;
  /** Whose receiver it is: their link acknowledges in their name. */
  readonly person: string | null;
  readonly kind: NoticeKind;
  readonly reason: ToldReason;
  readonly urgency: Urgency;
  readonly thread: string;
  readonly notice: Notice;
}

export interface Planned {
  /** Those of the input, with what was told of them. */
  readonly incidents: readonly Incident[];
  readonly notices: readonly PlannedNotice[];
  readonly events: readonly IncidentEvent[];
}

type Draft = { -readonly [Key in keyof Incident]: Incident[Key] };
type OpenTelling = { -readonly [Key in keyof Telling]: Telling[Key] };

interface Held {
  readonly reason: HeldReason;
  /** Ready to show, where it says more than the reason. */
  readonly text?: string;
  readonly by?: string;
}

/** Somebody is to be told: not yet checked against what they know and how much they had. */
interface Wish {
  readonly incidents: readonly Draft[];
  readonly tellings: OpenTelling[];
  contact: Contact;
  readonly kind: NoticeKind;
  readonly reason: ToldReason;
  readonly text: string;
  readonly thread: number;
}

const fresh = (incident: Incident, now: number): OpenTelling => ({
  since: now,
  reason: incident.splitFrom === null ? "opened" : "split-off",
  why: toldReasons[incident.splitFrom === null ? "opened" : "split-off"],
  group: "",
  toldAt: null,
  told: null,
  receivers: {},
  overCap: [],
  step: null,
  endTold: false,
  flappingTold: false,
  acknowledgedTold: null,
  held: null,
  heldBy: null,
});

/** Why somebody is told once what held it back is over. */
const reasonAfter: Partial<Record<HeldReason, ToldReason>> = {
  silenced: "silence-over",
  maintenance: "maintenance-over",
  inhibited: "not-inhibited",
  late: "confirmed",
  "quiet-hours": "quiet-hours-over",
};
/** Due as soon as its group is. */
const waits: ReadonlySet<HeldReason> = new Set(["group-wait", "group-interval", "no-receiver"]);
/** Held back for a moment, or for good: no news for the timeline. */
const quietly: ReadonlySet<HeldReason> = new Set(["group-wait", "group-interval", "nothing-fails-now"]);

const kindWords: Record<NoticeKind, string> = {
  opened: "Notice",
  grew: "Growth",
  reminder: "Reminder",
  escalated: "Escalation",
  acknowledged: "Acknowledgement",
  flapping: "Flapping",
  resolved: "End",
  digest: "Digest",
  change: "Change",
  undelivered: "Undelivered notice",
  test: "Test",
};

/** One turn of telling. Incidents are taken in the order of their numbers, routes in their own. */
class Teller {
  readonly drafts: Draft[];
  readonly events: IncidentEvent[] = [];
  readonly wishes = new Map<string, Wish>();
  readonly notices: PlannedNotice[] = [];
  private readonly byNumber: Map<number, Draft>;
  private readonly routing: Routing;
  private readonly inhibitorOf: ReturnType<typeof createInhibitions>;
  /** Reasons that the timeline has of this turn already. */
  private readonly said = new Set<string>();

  constructor(private readonly input: PlanInput) {
    this.drafts = [...input.incidents].sort((a, b) => a.number - b.number).map((incident) => ({ ...incident }));
    this.byNumber = new Map(this.drafts.map((draft) => [draft.number, draft]));
    this.routing = createRouting(input.config);
    this.inhibitorOf = createInhibitions(input.config.inhibitions, this.drafts);
  }

  run(): void {
    for (const draft of this.drafts) if (draft.ended?.how === "merged") this.handOver(draft);
    for (const draft of this.drafts) this.look(draft);
    this.flush();
    this.send();
  }

  /** What was told of a merged incident counts for the one that it goes on in: nobody is paged again. */
  private handOver(gone: Draft): void {
    const stays = this.byNumber.get(gone.ended?.into ?? -1);
    if (!stays) return;
    const tellings = { ...stays.tellings };
    for (const [id, telling] of Object.entries(gone.tellings)) {
      if (telling.endTold || id === noRoute) continue;
      const known = tellings[id];
      const taken: OpenTelling = { ...(known ?? telling), overCap: [], held: null, heldBy: null };
      taken.receivers = { ...telling.receivers, ...known?.receivers };
      if (telling.toldAt !== null && (known?.toldAt ?? null) === null)
        Object.assign(taken, { toldAt: telling.toldAt, told: telling.told, step: telling.step });
      taken.overCap = [...new Set([...(known?.overCap ?? []), ...telling.overCap])];
      taken.acknowledgedTold = known?.acknowledgedTold ?? null;
      tellings[id] = taken;
      // Who knows both hears that one of them is over, where something would stay open otherwise.
      for (const [receiver, thread] of Object.entries(telling.receivers)) {
        const other = known?.receivers[receiver];
        if (other === undefined || other === thread || !this.routing.keepsState(receiver)) continue;
        this.wish(
          [gone],
          [],
          { receiver, person: null, name: this.routing.receiverName(receiver) },
          "resolved",
          "goes-on-elsewhere",
          thread,
        );
      }
    }
    stays.tellings = tellings;
    gone.tellings = Object.fromEntries(
      Object.entries(gone.tellings).map(([id, telling]) => [
        id,
        { ...telling, endTold: true, overCap: [], step: null },
      ]),
    );
  }

  /** One incident and all its routes. */
  private look(draft: Draft): void {
    if (draft.ended?.how === "merged") return;
    const failing = this.input.failing.get(draft.number) ?? [];
    const gate = this.gate(draft);
    const tellings: Record<string, OpenTelling> = {};
    for (const [id, telling] of Object.entries(draft.tellings)) tellings[id] = { ...telling };
    draft.tellings = tellings;
    const routes = draft.ended === null && failing.length > 0 ? this.routing.routesOf(draft, failing) : [];
    if (draft.ended === null && failing.length > 0) {
      if (routes.length === 0 && Object.keys(tellings).every((id) => id === noRoute)) {
        tellings[noRoute] ??= fresh(draft, this.input.now);
        this.hold(draft, tellings[noRoute], null, { reason: "no-route" });
      } else if (routes.length > 0) delete tellings[noRoute];
    }
    for (const route of routes) tellings[route.id] ??= fresh(draft, this.input.now);
    for (const [id, telling] of Object.entries(tellings)) {
      if (id === noRoute) {
        telling.endTold = draft.ended !== null;
        continue;
      }
      const route = this.routing.route(id);
      if (draft.ended === null) this.open(draft, telling, route, gate, routes);
      else this.ended(draft, telling, route);
    }
  }

  /** Why nobody may be told of an incident at all at this moment; null: they may. */
  private gate(draft: Draft): Held | null {
    const spread = this.input.spreads.get(draft.number);
    if (draft.ended !== null || !spread || spread.failing === 0) return { reason: "nothing-fails-now" };
    if (draft.kind === "failing" && draft.severity === "at-risk") return { reason: "at-risk" };
    if (spread.audible === 0) {
      // Of several the one that covers most, of equal ones the one that lasts longest.
      const [muter] = this.input.muters
        .filter(({ id }) => spread.muted.has(id))
        .sort((a, b) => (spread.muted.get(b.id) ?? 0) - (spread.muted.get(a.id) ?? 0) || b.until - a.until);
      if (muter?.kind === "maintenance")
        return { reason: "maintenance", text: `maintenance window ${muter.name}`, by: muter.id };
      if (muter) return { reason: "silenced", text: `silenced by ${muter.name}`, by: muter.id };
    }
    if (spread.fresh === 0) return { reason: "late" };
    const inhibitor = this.inhibitorOf(draft);
    if (inhibitor)
      return {
        reason: "inhibited",
        text: `incident ${inhibitor.by.number} explains it (${inhibitor.name})`,
        by: String(inhibitor.by.number),
      };
    return null;
  }

  private open(
    draft: Draft,
    telling: OpenTelling,
    route: Route | null,
    gate: Held | null,
    matching: readonly Route[],
  ): void {
    const { now } = this.input;
    // It came back after they had heard of its end. What comes and goes is said once, as that.
    if (telling.endTold && draft.flappingSince !== null && telling.toldAt !== null) {
      telling.endTold = false;
      if (telling.flappingTold) this.note(draft, route, { reason: "flapping" });
    } else if (telling.endTold)
      Object.assign(telling, fresh(draft, now), { reason: "reopened", why: toldReasons.reopened });
    if (!route) return;
    if (draft.flappingSince === null) telling.flappingTold = false;
    if (telling.toldAt === null) {
      if (!matching.includes(route)) return;
      this.first(draft, telling, route, gate);
      return;
    }
    this.acknowledgement(draft, telling, route);
    if (gate) {
      // A window that is in force while it ends swallows the end as well.
      const swallows = telling.held === "maintenance" && gate.reason === "nothing-fails-now";
      if (!swallows) this.hold(draft, telling, route, gate);
      return;
    }
    if (telling.held !== null) [telling.held, telling.heldBy] = [null, null];
    if (draft.flappingSince !== null && !telling.flappingTold) {
      telling.flappingTold = true;
      this.tellKnown(draft, telling, "flapping", "comes-and-goes");
    }
    this.again(draft, telling, route);
  }

  /** Nobody of this route knows of it yet. */
  private first(draft: Draft, telling: OpenTelling, route: Route, gate: Held | null): void {
    const { now } = this.input;
    telling.group = this.groupOf(draft, route);
    const held = gate ?? this.quietHours(draft, route) ?? this.beforeFirst(draft);
    if (held) {
      this.hold(draft, telling, route, held);
      return;
    }
    const after = telling.held === null ? undefined : reasonAfter[telling.held];
    if (after) {
      telling.reason = after;
      telling.why = this.whyAfter(after, telling.heldBy);
      telling.since = now;
    }
    if (telling.held === null || !waits.has(telling.held)) [telling.held, telling.heldBy] = ["group-wait", null];
  }

  private whyAfter(reason: ToldReason, by: string | null): string {
    const window = this.input.config.maintenance.find(({ id }) => `maintenance:${id}` === by);
    return window ? `${toldReasons[reason]} ${window.name}` : toldReasons[reason];
  }

  private beforeFirst(draft: Draft): Held | null {
    if (draft.acknowledged !== null) return { reason: "acknowledged", text: `${draft.acknowledged.by} has it` };
    return null;
  }

  private quietHours(draft: Draft, route: Route): Held | null {
    if (draft.urgency === "high" || route.quietHours === null) return null;
    const span = hoursAt(route.quietHours, this.input.now);
    if (!span) return null;
    return { reason: "quiet-hours", text: `low urgency waits until ${clockText(span.to, route.quietHours.zone)}` };
  }

  private groupOf(draft: Draft, route: Route): string {
    if (route.groupBy === "route") return route.id;
    if (route.groupBy === "pattern") return `${route.id} ${draft.pattern}`;
    if (route.groupBy === "site") return `${route.id} ${draft.sites[0]?.site ?? ""}`;
    return `${route.id} ${draft.number}`;
  }

  /** Groups whose wait is over, told together. */
  private flush(): void {
    const { now } = this.input;
    const waiting = new Map<string, { route: Route; draft: Draft; telling: OpenTelling }[]>();
    const toldAt = new Map<string, number>();
    for (const draft of this.drafts)
      for (const [id, telling] of Object.entries(draft.tellings as Record<string, OpenTelling>)) {
        const route = this.routing.route(id);
        if (!route) continue;
        if (telling.toldAt !== null) {
          toldAt.set(telling.group, Math.max(toldAt.get(telling.group) ?? 0, telling.toldAt));
          continue;
        }
        if (draft.ended !== null || telling.held === null || !waits.has(telling.held)) continue;
        const list = waiting.get(telling.group);
        if (list) list.push({ route, draft, telling });
        else waiting.set(telling.group, [{ route, draft, telling }]);
      }
    for (const [group, members] of waiting) {
      const { route } = members[0] as { route: Route };
      const first = Math.min(...members.map(({ telling }) => telling.since));
      const before = toldAt.get(group);
      const due = Math.max(
        first + route.groupWaitSeconds * second,
        before === undefined ? 0 : before + route.groupIntervalMinutes * minute,
      );
      if (now < due) {
        for (const { telling } of members) telling.held = before === undefined ? "group-wait" : "group-interval";
        continue;
      }
      this.tellFirst(route, members);
    }
  }

  private tellFirst(route: Route, members: readonly { draft: Draft; telling: OpenTelling }[]): void {
    const { now } = this.input;
    const drafts = members.map(({ draft }) => draft);
    const tellings = members.map(({ telling }) => telling);
    const contacts = [...this.routing.contacts(route), ...this.step(drafts, tellings, route, 0, 0)];
    if (contacts.length === 0) {
      for (const { draft, telling } of members) this.hold(draft, telling, route, { reason: "no-receiver" });
      return;
    }
    for (const { draft, telling } of members) {
      telling.toldAt = now;
      telling.told = sizeOfTold(draft);
      [telling.held, telling.heldBy] = [null, null];
    }
    for (const contact of contacts) {
      // Another route told them of this opening already.
      const news = members.filter(({ draft, telling }) => !this.knows(draft, telling, contact.receiver));
      for (const one of members) {
        if (news.includes(one)) continue;
        one.telling.receivers = {
          ...one.telling.receivers,
          [contact.receiver]: this.threadOf(one.draft, contact.receiver),
        };
        this.note(one.draft, route, { reason: "told-before", text: `${contact.name} knows of it` });
      }
      // What keeps an alert open needs one for each.
      const each = this.routing.keepsState(contact.receiver) ? news.map((one) => [one]) : news.length > 0 ? [news] : [];
      for (const list of each) {
        const [first] = list as [(typeof list)[number]];
        this.wish(
          list.map(({ draft }) => draft),
          list.map(({ telling }) => telling),
          contact,
          list.length > 1 ? "digest" : "opened",
          list.length > 1 ? "opened" : first.telling.reason,
          first.draft.number,
          list.length > 1 ? `${list.length} incidents together` : first.telling.why,
        );
      }
    }
  }

  /** Whether another route told this receiver of this opening. */
  private knows(draft: Draft, own: OpenTelling, receiver: string): boolean {
    return Object.values(draft.tellings).some(
      (telling) => telling !== own && !telling.endTold && telling.toldAt !== null && receiver in telling.receivers,
    );
  }

  private threadOf(draft: Draft, receiver: string): number {
    for (const telling of Object.values(draft.tellings)) {
      const thread = telling.receivers[receiver];
      if (thread !== undefined) return thread;
    }
    return draft.number;
  }

  /**
   * Goes to a step of the escalation: who is told. Steps in which nobody is on call are passed over; where that is all
   * of them, the fallback is told instead, since a page must reach somebody.
   */
  private step(
    drafts: readonly Draft[],
    tellings: readonly OpenTelling[],
    route: Route,
    from: number,
    round: number,
  ): Contact[] {
    const { now } = this.input;
    const steps = this.routing.steps(route);
    for (let index = from; index < steps.length; index++) {
      const contacts = this.routing.stepContacts(route, index, now);
      if (contacts.length > 0) {
        for (const telling of tellings) telling.step = { index, round, at: now };
        return contacts;
      }
      // Said once, and not at each look while nobody can be told.
      if (tellings.some(({ held }) => held !== "no-receiver"))
        for (const draft of drafts)
          this.note(draft, route, { reason: "nobody-on-call", text: `nobody of step ${index + 1} is on call` });
    }
    for (const telling of tellings) telling.step = null;
    if (steps.length === 0 || from > 0 || this.routing.contacts(route).length > 0) return [];
    for (const telling of tellings) [telling.reason, telling.why] = ["nobody-on-call", toldReasons["nobody-on-call"]];
    return this.routing.fallback();
  }

  private acknowledgement(draft: Draft, telling: OpenTelling, route: Route): void {
    const { acknowledged } = draft;
    if (acknowledged !== null && telling.acknowledgedTold !== acknowledged.at) {
      telling.acknowledgedTold = acknowledged.at;
      telling.step = null;
      // Neither the receiver that we know it from, nor whoever did it.
      const { via, person, by } = acknowledged;
      const own = new Set([via, ...(person === null ? [] : this.routing.receiversOf(person))]);
      const others = this.known(telling).filter(
        ({ receiver }) => receiver !== via && (!own.has(receiver) || this.routing.keepsState(receiver)),
      );
      if (route.sendAcknowledged)
        for (const contact of others)
          this.wish(
            [draft],
            [telling],
            contact,
            "acknowledged",
            "acknowledged",
            this.threadOf(draft, contact.receiver),
            `${by} has it`,
          );
    } else if (acknowledged === null && telling.acknowledgedTold !== null) {
      telling.acknowledgedTold = null;
      telling.toldAt = this.input.now;
      const contacts = this.step([draft], [telling], route, 0, 0);
      for (const contact of contacts.length > 0 ? contacts : this.known(telling))
        this.wish([draft], [telling], contact, "reminder", "released", this.threadOf(draft, contact.receiver));
    }
  }

  /** It was told of: is there a reason to tell of it again? */
  private again(draft: Draft, telling: OpenTelling, route: Route): void {
    const { now, config } = this.input;
    const { settings } = config;
    const toldAt = telling.toldAt ?? now;
    const told = telling.told;
    if (told?.urgency === "low" && draft.urgency === "high" && draft.acknowledged === null) {
      telling.toldAt = now;
      telling.told = sizeOfTold(draft);
      const contacts = [...this.routing.contacts(route), ...this.step([draft], [telling], route, 0, 0)];
      for (const contact of contacts.length > 0 ? contacts : this.known(telling))
        this.wish([draft], [telling], contact, "opened", "rose-to-high", this.threadOf(draft, contact.receiver));
      return;
    }
    if (told && draft.flappingSince === null && now - toldAt >= route.groupIntervalMinutes * minute) {
      const many = draft.failing >= settings.growFactor * told.machines;
      const grew = many && draft.failing - told.machines >= settings.highMachines;
      const site = draft.sites.find(
        (one) => one.site !== null && one.machines >= settings.openMachines && !told.sites.includes(one.site),
      );
      if (grew || site) {
        telling.toldAt = now;
        telling.told = sizeOfTold(draft);
        if (grew) this.tellKnown(draft, telling, "grew", "grew");
        else this.tellKnown(draft, telling, "grew", "new-site", `it reached ${site?.site ?? "another site"}`);
        return;
      }
    }
    if (this.escalate(draft, telling, route)) return;
    if (telling.step !== null) return;
    const since = draft.acknowledged?.at ?? null;
    if (since === null) {
      if (route.repeatHours === 0 || now - toldAt < route.repeatHours * hour) return;
      telling.toldAt = now;
      this.tellKnown(
        draft,
        telling,
        "reminder",
        "unacknowledged",
        `unacknowledged for ${formatDuration(now - draft.openedAt)}`,
      );
      return;
    }
    const again = since + settings.acknowledgeMinutes * minute;
    const due =
      toldAt < again ? again : route.repeatHours === 0 ? Number.POSITIVE_INFINITY : toldAt + route.repeatHours * hour;
    if (now < due) return;
    telling.toldAt = now;
    this.tellKnown(
      draft,
      telling,
      "reminder",
      "still-failing",
      `acknowledged ${formatDuration(now - since)} ago, and still failing`,
    );
  }

  /** The next step where the present one did not answer in time. True where there was something to do. */
  private escalate(draft: Draft, telling: OpenTelling, route: Route): boolean {
    const { now } = this.input;
    if (telling.step === null || draft.acknowledged !== null) return false;
    const { index, round, at } = telling.step;
    const limit = this.routing.steps(route)[index]?.minutes;
    if (limit !== undefined && now - at < limit * minute) return false;
    const waited = `unacknowledged for ${formatDuration(now - draft.openedAt)}`;
    let contacts = this.step([draft], [telling], route, index + 1, round);
    if (contacts.length === 0 && round < this.routing.repeats(route))
      contacts = this.step([draft], [telling], route, 0, round + 1);
    if (contacts.length === 0) {
      telling.step = null;
      telling.toldAt = now;
      this.note(draft, route, { reason: "no-more-steps" });
      return true;
    }
    telling.toldAt = now;
    telling.told = sizeOfTold(draft);
    for (const contact of contacts)
      this.wish(
        [draft],
        [telling],
        contact,
        "escalated",
        "step-timed-out",
        this.threadOf(draft, contact.receiver),
        waited,
      );
    return true;
  }

  /** It is over: whoever was told hears of it. */
  private ended(draft: Draft, telling: OpenTelling, route: Route | null): void {
    if (telling.endTold) return;
    telling.step = null;
    if (telling.toldAt === null) {
      telling.endTold = true;
      return;
    }
    const window = telling.held === "maintenance" ? telling.heldBy : null;
    if (window !== null && this.input.muters.some(({ id }) => id === window)) return;
    telling.endTold = true;
    telling.held = null;
    telling.heldBy = null;
    const how = draft.ended?.how;
    const [reason, text] =
      how === "closed"
        ? ([
            "closed",
            `closed by ${draft.ended?.by ?? "somebody"}${draft.ended?.note ? `: ${draft.ended.note}` : ""}`,
          ] as const)
        : how === "not-verified"
          ? (["resolved", "no member fails any more; most fell silent and are not verified"] as const)
          : (["resolved", toldReasons.resolved] as const);
    // An alert that is held open elsewhere is closed whatever the route says.
    for (const contact of this.known(telling))
      if (route === null || route.sendResolved || this.routing.keepsState(contact.receiver))
        this.wish(
          [draft],
          [telling],
          contact,
          "resolved",
          reason,
          telling.receivers[contact.receiver] ?? draft.number,
          text,
        );
  }

  private known(telling: OpenTelling): Contact[] {
    return Object.keys(telling.receivers).map((receiver) => ({
      receiver,
      person: null,
      name: this.routing.receiverName(receiver),
    }));
  }

  /** Tells all that know of it. */
  private tellKnown(
    draft: Draft,
    telling: OpenTelling,
    kind: NoticeKind,
    reason: ToldReason,
    text: string = toldReasons[reason],
  ): void {
    for (const contact of this.known(telling))
      this.wish([draft], [telling], contact, kind, reason, telling.receivers[contact.receiver] ?? draft.number, text);
  }

  private wish(
    incidents: readonly Draft[],
    tellings: readonly OpenTelling[],
    contact: Contact,
    kind: NoticeKind,
    reason: ToldReason,
    thread: number,
    text: string = toldReasons[reason],
  ): void {
    // Also a receiver that is not configured any more.
    if (!this.routing.carries(contact.receiver, kind)) return;
    // Two routes, or two people with one receiver: said once, with the link of whoever can be named.
    const once = `${contact.receiver} ${kind} ${incidents.map(({ number }) => number).join()}`;
    const twice = this.wishes.get(once);
    if (!twice) this.wishes.set(once, { incidents, tellings: [...tellings], contact, kind, reason, thread, text });
    else {
      twice.tellings.push(...tellings);
      if (twice.contact.person === null) twice.contact = contact;
    }
  }

  /** Notices of what was wished, as far as each receiver's cap allows; what is over it waits for the digest. */
  private send(): void {
    const used = new Map<string, number>();
    const useOf = (receiver: string) =>
      used.get(receiver) ??
      (this.input.receivers.get(receiver)?.sent ?? []).filter((at) => this.input.now - at < hour).length;
    for (const wish of this.wishes.values()) {
      const { receiver } = wish.contact;
      const count = useOf(receiver);
      const isEnd = wish.kind === "resolved" || wish.kind === "acknowledged";
      if (!isEnd && count >= this.routing.cap(receiver)) {
        for (const telling of wish.tellings) telling.overCap = [...new Set([...telling.overCap, receiver])];
        for (const draft of wish.incidents)
          this.note(draft, null, {
            reason: "over-the-cap",
            text: `${wish.contact.name} had its ${count} notices of this hour`,
          });
        continue;
      }
      if (!isEnd) used.set(receiver, count + 1);
      this.push(wish);
    }
    this.digests();
  }

  /** One message for all that a receiver did not get. */
  private digests(): void {
    const { now, receivers } = this.input;
    const waiting = new Map<string, { draft: Draft; telling: OpenTelling }[]>();
    for (const draft of this.drafts)
      for (const telling of Object.values(draft.tellings as Record<string, OpenTelling>))
        for (const receiver of telling.overCap)
          waiting.set(receiver, [...(waiting.get(receiver) ?? []), { draft, telling }]);
    for (const [receiver, members] of waiting) {
      const urgency = members.some(({ draft }) => draft.urgency === "high") ? "high" : "low";
      const last = receivers.get(receiver)?.digestAt ?? null;
      if (last !== null && now - last < digestMs[urgency]) continue;
      for (const { telling } of members) telling.overCap = telling.overCap.filter((one) => one !== receiver);
      const incidents = [...new Set(members.map(({ draft }) => draft))].sort(byWeight);
      this.push({
        incidents,
        tellings: members.map(({ telling }) => telling),
        contact: { receiver, person: null, name: this.routing.receiverName(receiver) },
        kind: "digest",
        reason: "over-the-cap",
        text: toldReasons["over-the-cap"],
        thread: (incidents[0] as Draft).number,
      });
    }
  }

  private push(wish: Wish): void {
    const { now, compose: context } = this.input;
    const incidents = [...wish.incidents].sort(byWeight);
    const home = incidents[0] as Draft;
    home.notices++;
    const { installation } = context;
    const key = `${installation}-${home.number}-${home.notices}`;
    const thread = wish.kind === "digest" ? key : threadOf(installation, wish.thread);
    const urgency: Urgency = incidents.some((one) => one.urgency === "high") ? "high" : "low";
    for (const [index, telling] of wish.tellings.entries()) {
      const own = wish.incidents[index]?.number ?? home.number;
      if (!(wish.contact.receiver in telling.receivers) && wish.kind !== "resolved")
        telling.receivers = {
          ...telling.receivers,
          [wish.contact.receiver]: wish.incidents.length > 1 ? own : wish.thread,
        };
    }
    this.notices.push({
      key,
      incident: home.number,
      incidents: incidents.map(({ number }) => number),
      receiver: wish.contact.receiver,
      person: wish.contact.person,
      kind: wish.kind,
      reason: wish.reason,
      urgency,
      thread,
      notice: compose({ kind: wish.kind, key, thread, reason: wish.text, incidents }, { ...context, now }),
    });
    for (const draft of incidents)
      this.events.push({
        incident: draft.number,
        at: now,
        kind: "told",
        reason: wish.reason,
        text: `${wish.kind === "opened" && urgency === "high" ? "Page" : kindWords[wish.kind]} to ${wish.contact.name}: ${wish.text}`,
        detail: { notice: key, receiver: wish.contact.receiver, person: wish.contact.person, kind: wish.kind },
      });
  }

  /** Remembers why nothing was told, and writes it down where that is news. */
  private hold(draft: Draft, telling: OpenTelling, route: Route | null, held: Held): void {
    const by = held.by ?? null;
    const isNews = telling.held !== held.reason || telling.heldBy !== by;
    telling.held = held.reason;
    telling.heldBy = by;
    if (isNews && !quietly.has(held.reason)) this.note(draft, route, held);
  }

  private note(draft: Draft, route: Route | null, held: Held): void {
    const text = held.text ?? heldReasons[held.reason];
    const once = `${draft.number} ${held.reason} ${text}`;
    if (this.said.has(once)) return;
    this.said.add(once);
    this.events.push({
      incident: draft.number,
      at: this.input.now,
      kind: "held",
      reason: held.reason,
      text: `Not told: ${text}`,
      detail: { route: route?.id ?? null, by: held.by ?? null },
    });
  }
}

const byWeight = (a: Incident, b: Incident): number =>
  Number(a.urgency === "low") - Number(b.urgency === "low") || b.failing - a.failing || a.number - b.number;

const sizeOfTold = ({ failing, urgency, sites }: Incident): Telling["told"] => ({
  machines: failing,
  urgency,
  sites: sites.flatMap(({ site }) => (site === null ? [] : [site])),
});

/**
 * Who is told of what, and why, or why not. Pure: what was told before stands in the incidents' tellings, and what comes
 * back has it written in; given the same again it plans the same notices with the same keys.
 */
export function plan(input: PlanInput): Planned {
  const turn = new Teller(input);
  turn.run();
  return { incidents: turn.drafts, notices: turn.notices, events: turn.events };
}
