// Google's own npm client against the simulator: every operation that Cupo's adapter uses, and the errors it must know.
// GOOGLE_BASE_URL says where the simulator is; ROUND_EMAIL whose calendar is used (ana@example.com).
import { createHash, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";
import assert from "node:assert/strict";
import { auth, calendar as calendarApi } from "@googleapis/calendar";

const base = process.env.GOOGLE_BASE_URL;
if (!base) {
  console.error("GOOGLE_BASE_URL is missing: the simulator's address, such as http://127.0.0.1:4001");
  process.exit(2);
}
const email = process.env.ROUND_EMAIL ?? "ana@example.com";
const scopes = ["calendar.events", "calendar.freebusy", "calendar.calendarlist.readonly"]
  .map((name) => `https://www.googleapis.com/auth/${name}`);
const redirectUri = "http://127.0.0.1:9/callback";

async function control(method, path, body) {
  const headers = body ? { "content-type": "application/json" } : {};
  const answer = await fetch(`${base}/control${path}`, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} /control${path} answered ${answer.status}`);
  return answer.status === 200 ? answer.json() : null;
}

const client = new auth.OAuth2({
  clientId: "cupo-demo",
  clientSecret: "cupo-demo-secret",
  redirectUri,
  endpoints: {
    oauth2AuthBaseUrl: `${base}/o/oauth2/v2/auth`,
    oauth2TokenUrl: `${base}/token`,
    oauth2RevokeUrl: `${base}/revoke`,
  },
});
// The client's own retries would hide what the simulator answers.
const calendar = calendarApi({ version: "v3", auth: client, rootUrl: `${base}/`, retry: false });

const rounds = [];
const round = (name, run) => rounds.push([name, run]);

async function refused(promise, status, reason) {
  const error = await promise.then(() => assert.fail(`${status} ${reason} was expected`), (error) => error);
  assert.equal(error.status ?? error.code, status, String(error));
  const detail = error.response?.data?.error;
  assert.equal(detail?.errors?.[0]?.reason ?? detail, reason);
}

const at = (hour, minute = 0) => ({ dateTime: `2027-03-08T${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}:00Z` });
const intro = (more = {}) => ({ summary: "Intro", start: at(9), end: at(9, 30), ...more });
const ownId = () => `cupo${randomUUID().replaceAll("-", "")}`;
const insert = async (more, params = {}) => (await calendar.events.insert({ calendarId: "primary", requestBody: intro(more), ...params })).data;

/** A webhook that keeps the headers of what it is sent. */
async function webhook() {
  const received = [];
  const server = createServer((request, response) => {
    received.push(request.headers);
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const wait = async (count) => {
    for (let tries = 0; received.length < count && tries < 200; tries += 1) await new Promise((done) => setTimeout(done, 20));
    assert.ok(received.length >= count, `${received.length} of ${count} notifications came`);
    return received;
  };
  return { address: `http://127.0.0.1:${server.address().port}/webhooks/google`, wait, close: () => server.close() };
}

round("authorization code with PKCE, by the client's own URL", async () => {
  const verifier = randomUUID() + randomUUID();
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const url = client.generateAuthUrl({
    access_type: "offline", prompt: "consent", scope: scopes, state: "s1",
    code_challenge: challenge, code_challenge_method: "S256",
  });
  assert.equal((await fetch(url)).status, 200);
  const form = new URLSearchParams({ account: email, request: new URL(url).search.slice(1), decision: "allow" });
  for (const scope of scopes) form.append("scope", scope);
  const answer = await fetch(`${base}/o/oauth2/v2/auth/consent`, { method: "POST", body: form, redirect: "manual" });
  const back = new URL(answer.headers.get("location"));
  assert.equal(back.searchParams.get("state"), "s1");
  const { tokens } = await client.getToken({ code: back.searchParams.get("code"), codeVerifier: verifier });
  assert.ok(tokens.access_token && tokens.refresh_token);
  assert.deepEqual(tokens.scope.split(" ").sort(), [...scopes].sort());
  client.setCredentials(tokens);
});

round("a token pair from the control API, refreshed by the client", async () => {
  const issued = await control("POST", "/token", { email, scopes });
  client.setCredentials({ refresh_token: issued.refresh_token });
  const { credentials } = await client.refreshAccessToken();
  assert.ok(credentials.access_token && credentials.access_token !== issued.access_token);
});

round("calendarList.list and get, calendars.get under its scope", async () => {
  const list = (await calendar.calendarList.list()).data;
  const primary = list.items.find((entry) => entry.primary);
  assert.equal(primary.id, email);
  for (const entry of list.items) {
    assert.equal((await calendar.calendarList.get({ calendarId: entry.id })).data.summary, entry.summary);
  }
  await refused(calendar.calendars.get({ calendarId: "primary" }), 403, "insufficientPermissions");
});

round("events.insert with an own id, then 409, get, delete and 410", async () => {
  const id = ownId();
  const made = await insert({ id, attendees: [{ email: "vis@example.org" }] }, { sendUpdates: "all" });
  assert.equal(made.id, id);
  await refused(insert({ id }), 409, "duplicate");
  assert.equal((await calendar.events.get({ calendarId: "primary", eventId: id })).data.etag, made.etag);
  const gone = await calendar.events.delete({ calendarId: "primary", eventId: id, sendUpdates: "all" });
  assert.equal(gone.status, 204);
  await refused(calendar.events.delete({ calendarId: "primary", eventId: id }), 410, "deleted");
  await refused(insert({ id }), 409, "duplicate");
});

round("events.patch and update with etags and If-Match 412", async () => {
  const made = await insert({ description: "one" });
  const event = { calendarId: "primary", eventId: made.id };
  const patched = (await calendar.events.patch({ ...event, requestBody: { summary: "Two" } }, { headers: { "If-Match": made.etag } })).data;
  assert.equal(patched.description, "one");
  const late = calendar.events.patch({ ...event, requestBody: { summary: "Three" } }, { headers: { "If-Match": made.etag } });
  await refused(late, 412, "conditionNotMet");
  const replaced = (await calendar.events.update({ ...event, requestBody: intro({ summary: "Four" }) })).data;
  assert.equal(replaced.description, undefined);
  const lateDelete = calendar.events.delete(event, { headers: { "If-Match": made.etag } });
  await refused(lateDelete, 412, "conditionNotMet");
  await calendar.events.delete(event);
});

round("a Meet conference is pending, then successful", async () => {
  const conferenceData = { createRequest: { requestId: randomUUID(), conferenceSolutionKey: { type: "hangoutsMeet" } } };
  const made = await insert({ conferenceData }, { conferenceDataVersion: 1 });
  assert.equal(made.conferenceData.createRequest.status.statusCode, "pending");
  let event = made;
  for (let tries = 0; !event.hangoutLink && tries < 100; tries += 1) {
    await new Promise((done) => setTimeout(done, 50));
    event = (await calendar.events.get({ calendarId: "primary", eventId: made.id })).data;
  }
  assert.equal(event.conferenceData.createRequest.status.statusCode, "success");
  assert.match(event.hangoutLink, /^https:\/\/meet\.google\.com\//);
});

round("events.list in pages, then by sync token, then 410", async () => {
  for (let count = 0; count < 3; count += 1) await insert();
  let page = (await calendar.events.list({ calendarId: "primary", maxResults: 2 })).data;
  assert.ok(page.nextPageToken && !page.nextSyncToken);
  while (page.nextPageToken) {
    page = (await calendar.events.list({ calendarId: "primary", maxResults: 2, pageToken: page.nextPageToken })).data;
  }
  const made = await insert();
  const syncToken = page.nextSyncToken;
  const delta = (await calendar.events.list({ calendarId: "primary", syncToken })).data;
  assert.deepEqual(delta.items.map((item) => item.id), [made.id]);
  await refused(calendar.events.list({ calendarId: "primary", syncToken, q: "x" }), 400, "invalidParameter");
  await control("POST", "/expire-sync-tokens");
  await refused(calendar.events.list({ calendarId: "primary", syncToken }), 410, "fullSyncRequired");
});

round("singleEvents and instances of a recurring event", async () => {
  const zoned = (hour) => ({ dateTime: `2027-03-22T${hour}:00:00`, timeZone: "Europe/Madrid" });
  const recurrence = ["RRULE:FREQ=WEEKLY;COUNT=3"];
  const made = await insert({ summary: "Weekly", start: zoned("10"), end: zoned("11"), recurrence });
  const range = { timeMin: "2027-03-22T00:00:00Z", timeMax: "2027-04-30T00:00:00Z" };
  const list = (await calendar.events.list({ calendarId: "primary", singleEvents: true, orderBy: "startTime", ...range })).data;
  const ours = list.items.filter((item) => item.recurringEventId === made.id);
  const starts = ours.map((item) => new Date(item.start.dateTime).toISOString());
  // Ten o'clock in Madrid, before and after the clocks change.
  assert.deepEqual(starts, ["2027-03-22T09:00:00.000Z", "2027-03-29T08:00:00.000Z", "2027-04-05T08:00:00.000Z"]);
  const instances = (await calendar.events.instances({ calendarId: "primary", eventId: made.id })).data.items;
  const cancelled = instances[1];
  await calendar.events.delete({ calendarId: "primary", eventId: cancelled.id });
  assert.equal((await calendar.events.instances({ calendarId: "primary", eventId: made.id })).data.items.length, 2);
});

round("events.list by a private extended property", async () => {
  const mark = randomUUID();
  const made = await insert({ extendedProperties: { private: { cupoAppointment: mark } } });
  const found = (await calendar.events.list({ calendarId: "primary", privateExtendedProperty: [`cupoAppointment=${mark}`] })).data;
  assert.deepEqual(found.items.map((item) => item.id), [made.id]);
});

round("freebusy.query with a per-calendar error, and its limit of range", async () => {
  const requestBody = { timeMin: "2027-03-08T00:00:00Z", timeMax: "2027-03-09T00:00:00Z", items: [{ id: email }, { id: "nobody@example.com" }] };
  const { calendars } = (await calendar.freebusy.query({ requestBody })).data;
  assert.deepEqual(calendars[email].busy, [{ start: "2027-03-08T09:00:00Z", end: "2027-03-08T09:30:00Z" }]);
  assert.equal(calendars["nobody@example.com"].errors[0].reason, "notFound");
  await refused(calendar.freebusy.query({ requestBody: { ...requestBody, timeMax: "2027-09-09T00:00:00Z" } }), 400, "timeRangeTooLong");
});

round("events.watch delivers, channels.stop ends it", async () => {
  const hook = await webhook();
  const id = randomUUID();
  const channel = (await calendar.events.watch({ calendarId: "primary", requestBody: { id, type: "web_hook", address: hook.address, token: "t0k3n" } })).data;
  assert.ok(Number(channel.expiration) > Date.now());
  await hook.wait(1);
  await insert();
  const [sync, change] = await hook.wait(2);
  assert.equal(sync["x-goog-resource-state"], "sync");
  assert.equal(sync["x-goog-message-number"], "1");
  assert.equal(change["x-goog-resource-state"], "exists");
  assert.equal(change["x-goog-channel-token"], "t0k3n");
  assert.equal(change["x-goog-resource-id"], channel.resourceId);
  await calendar.channels.stop({ requestBody: { id, resourceId: channel.resourceId } });
  await refused(calendar.channels.stop({ requestBody: { id, resourceId: channel.resourceId } }), 404, "notFound");
  hook.close();
});

round("faults come through the client as Google's errors", async () => {
  await control("POST", "/faults", { method: "GET", path_pattern: "/events$", status: 403, body_reason: "rateLimitExceeded" });
  await refused(calendar.events.list({ calendarId: "primary" }), 403, "rateLimitExceeded");
  const id = ownId();
  await control("POST", "/faults", { method: "POST", path_pattern: "/events$", drop_answer_after_effect: true });
  await assert.rejects(insert({ id }));
  await refused(insert({ id }), 409, "duplicate");
  assert.equal((await calendar.events.get({ calendarId: "primary", eventId: id })).data.id, id);
});

round("an expired access token is refreshed, a revoked grant is invalid_grant", async () => {
  // Only here: it would also repeat what a fault answered with 403.
  client.forceRefreshOnFailure = true;
  await control("POST", "/expire-access-tokens");
  assert.equal((await calendar.events.list({ calendarId: "primary", maxResults: 1 })).status, 200);
  await client.revokeToken(client.credentials.refresh_token);
  await refused(client.refreshAccessToken(), 400, "invalid_grant");
});

let failed = 0;
for (const [name, run] of rounds) {
  try {
    await run();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n        ${error.stack ?? error}`);
  }
}
console.log(`${rounds.length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
