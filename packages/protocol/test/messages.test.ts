import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { decodeAgentMessage, decodeCollectorMessage, decodeObservation } from "../src/decode.ts";
import { confirmationSchema, observationKinds, observationSchema, rawObservationSchema } from "../src/facts.ts";
import { agentMessageSchema, collectorMessageSchema } from "../src/messages.ts";
import { noticeSchema } from "../src/notice.ts";
import {
  apiErrorSchema,
  attributionSchema,
  causeMemberSchema,
  causeSchema,
  changeMachineSchema,
  countsSchema,
  fleetChangeSchema,
  machineFindingSchema,
  machineRowSchema,
  machineSchema,
  pageSchema,
  timelineEntrySchema,
} from "../src/read-api.ts";
import {
  incidentEventSchema,
  incidentMemberSchema,
  incidentSchema,
  noticeRowSchema,
  onCallSchema,
  silenceSchema,
  simulationSchema,
  storedAlertingSchema,
} from "../src/read-api-incidents.ts";
import {
  accuracySchema,
  canaryMachineSchema,
  canarySchema,
  machineReportSchema,
  ticketSchema,
  verificationMachineSchema,
  verificationSchema,
} from "../src/read-api-tools.ts";
import { machineStateSchema } from "../src/state.ts";
import { fixture, fixtureNames, fixtureText } from "./fixtures.ts";

const typesOf = (schema: typeof agentMessageSchema | typeof collectorMessageSchema) =>
  schema.options.map((option) => option.shape.type.value);
const agentTypes = typesOf(agentMessageSchema);
const collectorTypes = typesOf(collectorMessageSchema);

/** Schemas of the fixtures that are no message of their own. */
const parts: Record<string, z.ZodType> = {
  ...Object.fromEntries(observationKinds.map((kind) => [`observation-${kind}`, observationSchema])),
  "observation-probe-direct": observationSchema,
  "observation-unknown": rawObservationSchema,
  confirmation: confirmationSchema,
  "machine-state": machineStateSchema,
  notice: noticeSchema,
  "api-machine-row": machineRowSchema,
  "api-machine": machineSchema,
  "api-finding": machineFindingSchema,
  "api-incident": incidentSchema,
  "api-incident-member": incidentMemberSchema,
  "api-incident-event": incidentEventSchema,
  "api-notice": noticeRowSchema,
  "api-silence": silenceSchema,
  "api-alerting": storedAlertingSchema,
  "api-on-call": onCallSchema,
  "api-simulation": simulationSchema,
  "api-timeline-entry": timelineEntrySchema,
  "api-fleet-change": fleetChangeSchema,
  "api-change-machine": changeMachineSchema,
  "api-cause": causeSchema,
  "api-cause-member": causeMemberSchema,
  "api-attribution": attributionSchema,
  "api-canary": canarySchema,
  "api-canary-machine": canaryMachineSchema,
  "api-verification": verificationSchema,
  "api-verification-machine": verificationMachineSchema,
  "api-report": machineReportSchema,
  "api-accuracy": accuracySchema,
  "api-ticket": ticketSchema,
  "api-counts": countsSchema,
  "api-error": apiErrorSchema,
  "api-machines-page": pageSchema(machineRowSchema),
};

describe("fixtures", () => {
  test("there is one for every message, every kind and every shape of the read API, and no other", () => {
    expect(fixtureNames.toSorted()).toEqual([...agentTypes, ...collectorTypes, ...Object.keys(parts)].toSorted());
  });
  test.each(agentTypes)("an agent's %s decodes to what it says", (type) => {
    expect(decodeAgentMessage(fixtureText(type))).toEqual({ ok: true, value: fixture(type) });
  });
  test.each(collectorTypes)("a collector's %s decodes to what it says", (type) => {
    expect(decodeCollectorMessage(fixtureText(type))).toEqual({ ok: true, value: fixture(type) });
  });
  test.each(Object.entries(parts))("%s is what its schema says", (name, schema) => {
    expect(schema.parse(fixture(name))).toEqual(fixture(name));
  });
  test("an agent's messages are none of a collector's, and the other way round", () => {
    for (const type of agentTypes)
      expect(decodeCollectorMessage(fixtureText(type))).toMatchObject({
        ok: false,
        error: { code: "unknown-type", type },
      });
    for (const type of collectorTypes)
      expect(decodeAgentMessage(fixtureText(type))).toMatchObject({ ok: false, error: { code: "unknown-type", type } });
  });
});

describe("newer peers", () => {
  test("fields that this version does not know are kept, at any depth", () => {
    const message = fixture("hello");
    message.mood = { good: [1] };
    expect(decodeAgentMessage(JSON.stringify(message))).toEqual({ ok: true, value: message });
    const probe = fixture("observation-probe");
    probe.facts.tcp.congestion = "bbr";
    expect(observationSchema.parse(probe)).toEqual(probe);
  });
  test("an observation of an unknown kind is kept raw, and the others of its message are understood", () => {
    const message = decodeAgentMessage(fixtureText("observations"));
    if (!message.ok || message.value.type !== "observations") throw new Error("the fixture does not decode");
    const decoded = message.value.items.map(decodeObservation);
    expect(decoded.filter((item) => item.known).map((item) => item.observation.kind)).toEqual([...observationKinds]);
    expect(decoded.find((item) => !item.known)).toEqual({
      known: false,
      observation: fixture("observation-unknown"),
      why: 'unknown kind "keyboard-layout"',
    });
  });
  test("an observation of a known kind with facts that are not understood is kept raw, with the field", () => {
    const raw = fixture("observation-probe");
    raw.facts.dns.ok = "yes";
    expect(decodeObservation(raw)).toMatchObject({
      known: false,
      observation: raw,
      why: expect.stringMatching(/^facts\.dns\.ok: /),
    });
  });
  test("a raw observation without facts is kept with none", () => {
    const { facts: _, ...raw } = fixture("observation-unknown");
    expect(decodeObservation(raw)).toMatchObject({ known: false, observation: { facts: null } });
  });
  test("raw facts that are too many or too deep are left out, and that is told", () => {
    const raw = fixture("observation-unknown");
    raw.facts = "x".repeat(70_000);
    expect(decodeObservation(raw)).toMatchObject({
      known: false,
      observation: { key: raw.key, facts: null },
      why: 'unknown kind "keyboard-layout"; facts left out: 70002 characters, 0 deep; at most 65536 and 16',
    });
    raw.facts = JSON.parse(`${"[".repeat(17)}${"]".repeat(17)}`);
    expect(decodeObservation(raw)).toMatchObject({ known: false, observation: { facts: null } });
    raw.facts = JSON.parse(`${"[".repeat(16)}${"]".repeat(16)}`);
    expect(decodeObservation(raw)).toMatchObject({ known: false, observation: { facts: raw.facts } });
  });
  test("another major version is refused", () => {
    expect(decodeAgentMessage(JSON.stringify({ ...fixture("hello"), v: 2 }))).toMatchObject({
      ok: false,
      error: { code: "invalid", type: "hello", message: expect.stringMatching(/^v: /) },
    });
  });
});
