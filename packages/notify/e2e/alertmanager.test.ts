import type { Notice } from "@lynceus/protocol/notice";
import { connectionSchema } from "@lynceus/protocol/receivers";
import { closedPort } from "@lynceus/testkit/listening";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deliver } from "../src/deliver.ts";
import { sendHttp } from "../src/http.ts";
import {
  digest,
  incident,
  opened,
  resolved,
  second,
  test as testNotice,
  undelivered,
} from "../test/support/notices.ts";
import { receiverAt } from "../test/support/receivers.ts";
import { type Received, type VendorServer, vendorServer } from "../test/support/vendor-server.ts";
import { type Alertmanager, startAlertmanager } from "./alertmanager-process.ts";

let pager: VendorServer;
let alertmanager: Alertmanager;
beforeAll(async () => {
  pager = await vendorServer();
  alertmanager = await startAlertmanager(pager.origin);
});
afterAll(async () => {
  await alertmanager.close();
  await pager.close();
});

/**
 * Alertmanager judges by the real clock what has ended, so these notices are of now, whenever that is. Each test has an
 * incident of its own.
 */
const now = Date.now();
let number = 5000;
const fresh = (notice: Notice = opened): Notice => ({
  ...notice,
  at: new Date(now).toISOString(),
  thread: `${notice.thread}-${++number}`,
  incident: notice.incident && { ...incident, ...notice.incident, number, since: new Date(now - 60_000).toISOString() },
});

const send = (notice: Notice, settings: object = {}, secrets: Record<string, string> = {}) =>
  deliver(
    { notice, receiver: receiverAt("alertmanager", { origin: alertmanager.origin, ca: null }, settings), secrets },
    { now },
  );
interface Page {
  readonly status: "firing" | "resolved";
  readonly commonLabels: Record<string, string>;
  readonly commonAnnotations: Record<string, string>;
  readonly alerts: readonly unknown[];
}
const pageOf = ({ body }: Received) => JSON.parse(body) as Page;
const pages = (about: number) =>
  pager.received.map(pageOf).filter((page) => page.commonLabels.incident === String(about));
const paged = async (about: number, status: Page["status"], urgency = "high") =>
  pageOf(
    await pager.until((request) => {
      const page = pageOf(request);
      const { incident: of, urgency: how } = page.commonLabels;
      return of === String(about) && how === urgency && page.status === status;
    }),
  );
const active = async (about: number) =>
  (await alertmanager.alerts()).filter(({ labels }) => labels.incident === String(about)).map(({ labels }) => labels);

describe("Debian's Alertmanager", () => {
  test("takes an incident as one alert with labels to route by, and pages once", async () => {
    const notice = fresh();
    expect(await send(notice)).toEqual({ outcome: "delivered", detail: "1 of 1 took it" });
    const page = await paged(number, "firing");
    expect(page.commonLabels).toEqual({
      alertname: "CredentialPromptsExpected",
      incident: String(number),
      simulated: "false",
      team: "messaging",
      urgency: "high",
    });
    expect(page.commonAnnotations).toMatchObject({
      summary: "347 machines: px1.contoso.com asks for its own login",
      evidence: "CONNECT to px1.contoso.com:8080: 407, Basic only; direct, 401 from EX03",
      dashboard: "https://lynceus.contoso.com/incidents/1182",
    });
    expect(page.alerts).toHaveLength(1);
    expect(await active(number)).toEqual([page.commonLabels]);
  });

  test("keeps one alert while an incident grows, and ends it with the incident", async () => {
    const notice = fresh();
    const about = number;
    await send(notice);
    await paged(about, "firing");
    await send({ ...notice, kind: "grew", incident: { ...notice.incident!, machines: 900, peak: 900 } });
    expect(await active(about)).toHaveLength(1);
    const end = { ...resolved, thread: notice.thread, at: notice.at, incident: { ...notice.incident!, ...over() } };
    expect(await send(end)).toMatchObject({ outcome: "delivered" });
    await paged(about, "resolved");
    expect(await active(about)).toEqual([]);
    expect(pages(about).map(({ status }) => status)).toEqual(["firing", "resolved"]);
  });
  const over = () => ({ state: "resolved" as const, resolvedAt: new Date(now).toISOString() });

  test("is told of the other urgency by another alert, and the first one ends", async () => {
    const notice = fresh();
    const about = number;
    await send({ ...notice, incident: { ...notice.incident!, urgency: "low" } });
    await paged(about, "firing", "low");
    await send(notice);
    await paged(about, "firing", "high");
    await paged(about, "resolved", "low");
    expect(await active(about)).toMatchObject([{ urgency: "high" }]);
    // The urgency that it never had was never told of.
    expect(
      pages(about)
        .map(({ status, commonLabels }) => `${commonLabels.urgency} ${status}`)
        .sort(),
    ).toEqual(["high firing", "low firing", "low resolved"]);
  });

  test("takes each incident of a digest as its own alert", async () => {
    const { at } = fresh();
    const numbers = [number + 100, number + 101];
    const incidents = [incident, second].map((one, index) => ({ ...one, number: numbers[index]!, since: at }));
    expect(await send({ ...digest, at, incidents })).toMatchObject({ outcome: "delivered" });
    await paged(numbers[0]!, "firing", "high");
    await paged(numbers[1]!, "firing", "low");
  });

  test.each([
    [testNotice, "LynceusTest", "low"],
    [undelivered, "LynceusNoticeUndelivered", "high"],
  ])("takes what is about no incident: %#", async (notice, alertname, urgency) => {
    const one = fresh(notice);
    await send(one);
    const alerts = await alertmanager.alerts();
    expect(alerts.find(({ labels }) => labels.notice === one.thread)?.labels).toEqual({
      alertname,
      notice: one.thread,
      team: "messaging",
      urgency,
    });
  });

  test("refuses what is no alert, and is not asked again", async () => {
    const { settings } = receiverAt("alertmanager", { origin: alertmanager.origin, ca: null });
    const url = `${alertmanager.origin}/api/v2/alerts`;
    expect(
      await sendHttp({ url, body: '[{"labels":{}}]' }, connectionSchema.parse(settings.connection), { now }),
    ).toEqual({
      outcome: "rejected",
      reason: expect.stringMatching(/^HTTP 400: .*label/),
    });
  });

  test("of a cluster is told at every instance, and it suffices that one takes it", async () => {
    const dead = `http://127.0.0.1:${await closedPort()}`;
    const outcome = await send(fresh(), { servers: [dead, alertmanager.origin] });
    expect(outcome).toMatchObject({
      outcome: "delivered",
      detail: expect.stringMatching(/^1 of 2 took it; 127\.0\.0\.1:\d+: .*ECONNREFUSED/),
    });
    await paged(number, "firing");
    expect(await send(fresh(), { servers: [dead] })).toMatchObject({ outcome: "retry" });
  });

  test("behind a login is given the receiver's, and nothing of it comes back", async () => {
    const password = "alertmanager-hunter2";
    // perl -e 'print crypt("alertmanager-hunter2", "\$2b\$04\$abcdefghijklmnopqrstuu")'
    const bcrypt = "$2b$04$abcdefghijklmnopqrstuujFZ4y0O7nZxB8TYqIm7RDy2vmVTbi8.";
    const guarded = await startAlertmanager(pager.origin, { user: "lynceus", password, bcrypt });
    const settings = { servers: [guarded.origin], username: "lynceus" };
    expect(await send(fresh(), settings, { password })).toMatchObject({ outcome: "delivered" });
    expect(await guarded.alerts()).toHaveLength(1);
    const refused = await send(fresh(), settings, { password: "wrong-hunter2" });
    expect(refused).toEqual({ outcome: "rejected", reason: expect.stringMatching(/HTTP 401/) });
    expect(JSON.stringify(refused)).not.toContain("hunter2");
    await guarded.close();
  });
});
