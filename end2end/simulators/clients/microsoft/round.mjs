// Microsoft's own npm client against the simulator: every operation that Cupo's adapter uses, and the errors it must know.
// MICROSOFT_BASE_URL says where the simulator is: HTTPS, as the client sends no token without it (NODE_EXTRA_CA_CERTS
// names the certificate). ROUND_EMAIL says whose calendar is used (ana@contoso.example).
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";
import assert from "node:assert/strict";
import { BatchRequestContent, BatchResponseContent, Client, PageIterator } from "@microsoft/microsoft-graph-client";

const base = process.env.MICROSOFT_BASE_URL;
if (!base?.startsWith("https://")) {
  console.error("MICROSOFT_BASE_URL is missing: the simulator's address, such as https://127.0.0.1:4004");
  process.exit(2);
}
const email = process.env.ROUND_EMAIL ?? "ana@contoso.example";
const scopes = ["Calendars.ReadWrite", "User.Read", "offline_access", "openid"];
const property = "String {6f5b4e0a-3c52-4d1b-9a0e-7c1d2f3b4a59} Name CupoClaim";
const prefer = 'outlook.timezone="UTC", IdType="ImmutableId"';

async function control(method, path, body) {
  const headers = body ? { "content-type": "application/json" } : {};
  const answer = await fetch(`${base}/control${path}`, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} /control${path} answered ${answer.status}: ${await answer.clone().text()}`);
  return answer.status === 200 ? answer.json() : null;
}

let tokens = await control("POST", "/token", { email, scopes });
const clientFor = (accessToken) => Client.initWithMiddleware({
  authProvider: { getAccessToken: async () => accessToken() },
  baseUrl: `${base}/`,
  customHosts: new Set([new URL(base).hostname]),
  defaultVersion: "v1.0",
});
const graph = clientFor(() => tokens.access_token);
const api = (path, more) => graph.api(path).header("Prefer", more ? `${prefer}, ${more}` : prefer);

const rounds = [];
const round = (name, run) => rounds.push([name, run]);

async function refused(promise, status, code) {
  const error = await promise.then(() => assert.fail(`${status} ${code} was expected`), (error) => error);
  assert.deepEqual([error.statusCode, error.code], [status, code], String(error));
  return JSON.parse(error.body);
}

const at = (hour, minute = 0, day = 8) => ({
  dateTime: `2027-03-${String(day).padStart(2, "0")}T${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}:00`,
  timeZone: "UTC",
});
const intro = (more = {}) => ({ subject: "Intro", start: at(9), end: at(9, 30), ...more });
const create = (more) => api("/me/events").post(intro(more));
const window = (from, to) => `startDateTime=2027-03-${from}T00:00:00Z&endDateTime=2027-03-${to}T00:00:00Z`;

/** A webhook that answers the handshake and keeps what it is sent. */
async function webhook() {
  const received = [];
  const handshakes = [];
  const server = createServer(async (request, response) => {
    const token = new URL(request.url, "http://localhost").searchParams.get("validationToken");
    if (token) {
      handshakes.push(request.url);
      response.setHeader("content-type", "text/plain").end(token);
      return;
    }
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ path: request.url, ...JSON.parse(Buffer.concat(chunks)) });
    response.writeHead(202).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const wait = async (count) => {
    for (let tries = 0; received.length < count && tries < 200; tries += 1) await new Promise((done) => setTimeout(done, 20));
    assert.ok(received.length >= count, `${received.length} of ${count} notifications came`);
    return received;
  };
  return { address: `http://127.0.0.1:${server.address().port}/webhooks/microsoft`, handshakes, wait, close: () => server.close() };
}

round("me, and the calendars with what they allow", async () => {
  const me = await api("/me").select("id,displayName,mail,userPrincipalName").get();
  assert.equal(me.mail, email);
  const calendars = (await api("/me/calendars").get()).value;
  const primary = calendars.find((calendar) => calendar.isDefaultCalendar);
  assert.ok(primary.canEdit && primary.allowedOnlineMeetingProviders.includes("teamsForBusiness"));
  assert.equal((await api(`/me/calendars/${primary.id}`).get()).name, primary.name);
  assert.equal((await api("/me/calendar").get()).id, primary.id);
});

round("a create is made once for its transactionId", async () => {
  const transactionId = randomUUID();
  const made = await create({ transactionId });
  const promise = create({ transactionId });
  const error = await promise.then(() => assert.fail("the repeat was accepted"), (error) => error);
  assert.ok([400, 409].includes(error.statusCode), String(error));
  if (error.statusCode === 400) assert.equal(JSON.parse(error.body)["@event.existingEventId"], made.id);
  const found = await api("/me/calendarView").query(window("08", "09")).get();
  assert.equal(found.value.filter((event) => event.transactionId === transactionId).length, 1);
  await api(`/me/events/${made.id}`).delete();
});

round("a mark comes back only when it is expanded, and finds its event", async () => {
  const mark = randomUUID();
  const made = await create({ singleValueExtendedProperties: [{ id: property, value: mark }] });
  assert.equal((await api(`/me/events/${made.id}`).get()).singleValueExtendedProperties, undefined);
  const expand = `singleValueExtendedProperties($filter=id eq '${property}')`;
  const event = await api(`/me/events/${made.id}`).expand(expand).get();
  assert.equal(event.singleValueExtendedProperties[0].value, mark);
  const filter = `singleValueExtendedProperties/Any(ep: ep/id eq '${property}' and ep/value eq '${mark}')`;
  const list = await api("/me/events").filter(encodeURIComponent(filter)).get();
  assert.deepEqual(list.value.map((event) => event.id), [made.id]);
  await api(`/me/events/${made.id}`).delete();
});

round("a calendar view in pages, by the client's own iterator", async () => {
  for (let hour = 8; hour < 13; hour += 1) await create({ subject: `Page ${hour}`, start: at(hour, 0, 9), end: at(hour, 30, 9) });
  const first = await api("/me/calendarView").query(window("09", "10")).top(2).get();
  assert.equal(first.value.length, 2);
  assert.ok(first["@odata.nextLink"].startsWith(`${base}/v1.0/`), first["@odata.nextLink"]);
  const seen = [];
  const iterator = new PageIterator(graph, first, (event) => seen.push(event.subject) > 0, { headers: { Prefer: prefer } });
  await iterator.iterate();
  assert.deepEqual(seen, ["Page 8", "Page 9", "Page 10", "Page 11", "Page 12"]);
  assert.ok(iterator.isComplete());
});

round("a recurring event and its occurrences over the change of the clocks", async () => {
  const zoned = (hour) => ({ dateTime: `2027-03-22T${hour}:00:00`, timeZone: "Romance Standard Time" });
  const recurrence = {
    pattern: { type: "weekly", interval: 1, daysOfWeek: ["monday"] },
    range: { type: "numbered", startDate: "2027-03-22", numberOfOccurrences: 2, recurrenceTimeZone: "Romance Standard Time" },
  };
  const master = await create({ subject: "Weekly", start: zoned("10"), end: zoned("11"), recurrence });
  assert.equal(master.type, "seriesMaster");
  const query = "startDateTime=2027-03-20T00:00:00Z&endDateTime=2027-04-20T00:00:00Z";
  const instances = (await api(`/me/events/${master.id}/instances`).query(query).get()).value;
  // Ten o'clock in Paris and Madrid, before and after.
  assert.deepEqual(instances.map((event) => event.start.dateTime.slice(0, 16)), ["2027-03-22T09:00", "2027-03-29T08:00"]);
  assert.ok(instances.every((event) => event.seriesMasterId === master.id));
  await api(`/me/events/${instances[0].id}`).delete();
  const view = (await api("/me/calendarView").query(query).get()).value;
  assert.deepEqual(view.filter((event) => event.seriesMasterId === master.id).map((event) => event.id), [instances[1].id]);
  await api(`/me/events/${master.id}`).delete();
});

round("changes by nextLink and deltaLink, with what was removed", async () => {
  const pages = async (request) => {
    const events = [];
    let page = await request.get();
    events.push(...page.value);
    let count = 1;
    while (page["@odata.nextLink"]) {
      assert.equal(page["@odata.deltaLink"], undefined);
      page = await api(page["@odata.nextLink"], "odata.maxpagesize=2").get();
      events.push(...page.value);
      count += 1;
    }
    return { events, count, deltaLink: page["@odata.deltaLink"] };
  };
  const kept = await create({ subject: "Kept", start: at(9, 0, 10), end: at(10, 0, 10) });
  const gone = await create({ subject: "Gone", start: at(11, 0, 10), end: at(12, 0, 10) });
  const moved = await create({ subject: "Moved away", start: at(13, 0, 10), end: at(14, 0, 10) });
  const full = await pages(api("/me/calendarView/delta", "odata.maxpagesize=2").query(window("10", "11")));
  assert.deepEqual(full.events.map((event) => event.id).sort(), [kept.id, gone.id, moved.id].sort());
  assert.ok(full.count > 1);
  assert.equal((await pages(api(full.deltaLink))).events.length, 0);
  await api(`/me/events/${kept.id}`).patch({ subject: "Kept and renamed" });
  await api(`/me/events/${gone.id}`).delete();
  await api(`/me/events/${moved.id}`).patch({ start: at(13, 0, 20), end: at(14, 0, 20) });
  const { events } = await pages(api(full.deltaLink));
  assert.equal(events.find((event) => event.id === kept.id).subject, "Kept and renamed");
  const removed = events.filter((event) => event["@removed"]).map((event) => event.id).sort();
  assert.deepEqual(removed, [gone.id, moved.id].sort());
  assert.equal((await api(`/me/events/${moved.id}`).get()).subject, "Moved away");
  const narrowed = api("/me/calendarView/delta").query(window("10", "11")).select("subject").get();
  await narrowed.then(() => assert.fail("$select was accepted"), (error) => assert.equal(error.statusCode, 400));
});

round("a patch with an old etag is a conflict", async () => {
  const made = await create();
  const patched = await api(`/me/events/${made.id}`).header("If-Match", made["@odata.etag"]).patch({ subject: "Two" });
  assert.notEqual(patched["@odata.etag"], made["@odata.etag"]);
  const late = api(`/me/events/${made.id}`).header("If-Match", made["@odata.etag"]).patch({ subject: "Three" });
  await refused(late, 412, "ErrorIrresolvableConflict");
  assert.equal((await api(`/me/events/${made.id}`).get()).subject, "Two");
  await api(`/me/events/${made.id}`).delete();
});

round("getSchedule tells busy time and errors, and is not for personal accounts", async () => {
  const made = await create({ start: at(15, 0, 11), end: at(16, 0, 11) });
  const body = { schedules: [email, "nobody@contoso.example"], startTime: at(14, 0, 11), endTime: at(18, 0, 11), availabilityViewInterval: 60 };
  const { value: [own, other] } = await api("/me/calendar/getSchedule").post(body);
  assert.equal(own.availabilityView, "0200");
  assert.equal(own.scheduleItems[0].status, "busy");
  assert.ok(other.error.responseCode);
  const personal = await control("POST", "/token", { email: "carla@outlook.example", scopes });
  const refusal = clientFor(() => personal.access_token).api("/me/calendar/getSchedule").post({ ...body, schedules: ["carla@outlook.example"] });
  await refusal.then(() => assert.fail("a personal account has no schedule"), (error) => assert.ok(error.statusCode >= 400));
  await api(`/me/events/${made.id}`).delete();
});

round("a batch, each of its answers by itself", async () => {
  const made = await create({ subject: "In a batch" });
  const gone = await create();
  await api(`/me/events/${gone.id}`).delete();
  const request = (path, method = "GET", body) => new Request(`${base}${path}`, {
    method, body: body && JSON.stringify(body), headers: body ? { "content-type": "application/json" } : {},
  });
  const content = new BatchRequestContent([
    { id: "read", request: request(`/me/events/${encodeURIComponent(made.id)}`) },
    { id: "missing", request: request(`/me/events/${encodeURIComponent(gone.id)}`) },
    { id: "malformed", request: request("/me/events/nothing") },
    { id: "rename", request: request(`/me/events/${encodeURIComponent(made.id)}`, "PATCH", { subject: "Renamed in a batch" }) },
  ]);
  const answers = new BatchResponseContent(await graph.api("/$batch").post(await content.getContent()));
  const statuses = ["read", "missing", "malformed", "rename"].map((id) => answers.getResponseById(id).status);
  assert.deepEqual(statuses, [200, 404, 400, 200]);
  assert.equal((await answers.getResponseById("rename").json()).subject, "Renamed in a batch");
  assert.equal((await answers.getResponseById("missing").json()).error.code, "ErrorItemNotFound");
  await api(`/me/events/${made.id}`).delete();
});

round("a Teams meeting has a link to join", async () => {
  const made = await create({ isOnlineMeeting: true, onlineMeetingProvider: "teamsForBusiness" });
  let event = made;
  for (let tries = 0; !event.onlineMeeting?.joinUrl && tries < 100; tries += 1) {
    await new Promise((done) => setTimeout(done, 50));
    event = await api(`/me/events/${made.id}`).get();
  }
  assert.match(event.onlineMeeting.joinUrl, /^https:\/\/teams\.microsoft\.com\//);
  await api(`/me/events/${made.id}`).delete();
});

round("a subscription: handshake, delivery, renewal, end", async () => {
  const hook = await webhook();
  const days = (count) => new Date(Date.now() + count * 86_400_000).toISOString();
  const wanted = {
    changeType: "created,updated,deleted",
    notificationUrl: hook.address,
    lifecycleNotificationUrl: `${hook.address}/lifecycle`,
    resource: "/me/events",
    expirationDateTime: days(6),
    clientState: "id.t0k3n",
  };
  const subscription = await api("/subscriptions").post(wanted);
  assert.equal(hook.handshakes.length, 2);
  const made = await create();
  const [{ value: [notification] }] = await hook.wait(1);
  assert.equal(notification.subscriptionId, subscription.id);
  assert.equal(notification.clientState, "id.t0k3n");
  assert.equal(notification.changeType, "created");
  const renewed = await api(`/subscriptions/${subscription.id}`).patch({ expirationDateTime: days(6.5) });
  assert.ok(new Date(renewed.expirationDateTime) > new Date(subscription.expirationDateTime));
  const tooLong = api("/subscriptions").post({ ...wanted, expirationDateTime: days(8) });
  await tooLong.then(() => assert.fail("eight days were accepted"), (error) => assert.equal(error.statusCode, 400));
  await api(`/subscriptions/${subscription.id}`).delete();
  await api(`/me/events/${made.id}`).delete();
  const late = api(`/subscriptions/${subscription.id}`).patch({ expirationDateTime: days(5) });
  await late.then(() => assert.fail("it is gone"), (error) => assert.equal(error.statusCode, 404));
  hook.close();
});

round("an organizer cancels, and deletes", async () => {
  const attendees = [{ type: "required", emailAddress: { address: "vis@example.org", name: "Vis" } }];
  const cancelled = await create({ attendees });
  await api(`/me/events/${cancelled.id}/cancel`).post({ comment: "Sorry" });
  await refused(api(`/me/events/${cancelled.id}`).get(), 404, "ErrorItemNotFound");
  const deleted = await create();
  await api(`/me/events/${deleted.id}`).delete();
  await refused(api(`/me/events/${deleted.id}`).delete(), 404, "ErrorItemNotFound");
});

round("the client waits out a 429 by itself", async () => {
  await control("POST", "/faults", { method: "GET", path_pattern: "/me/calendars$", status: 429, retry_after: 1 });
  assert.ok((await api("/me/calendars").get()).value.length > 0);
});

round("an expired access token is refused, and a refresh brings another", async () => {
  await control("POST", "/expire-access-tokens");
  await refused(api("/me").get(), 401, "InvalidAuthenticationToken");
  const form = new URLSearchParams({
    client_id: "cupo-demo", client_secret: "cupo-demo-secret", grant_type: "refresh_token",
    refresh_token: tokens.refresh_token, scope: scopes.join(" "),
  });
  const answer = await (await fetch(`${base}/common/oauth2/v2.0/token`, { method: "POST", body: form })).json();
  assert.ok(answer.refresh_token && answer.refresh_token !== tokens.refresh_token, "refresh tokens rotate");
  tokens = answer;
  assert.equal((await api("/me").get()).mail, email);
});

let failed = 0;
for (const [name, run] of rounds) {
  try {
    await run();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n        ${error.stack ?? error}${error.body ? `\n        ${error.body}` : ""}`);
  }
}
console.log(`${rounds.length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
