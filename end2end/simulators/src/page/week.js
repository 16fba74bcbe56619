// The week of a calendar, by hand: add, move, lengthen and delete events. Times are wall-clock times of the calendar's
// own zone; the server turns them into instants.
const byId = (id) => document.getElementById(id);
const SNAP = 15;
const DAY = 24 * 60;
const phone = matchMedia("(max-width: 720px)");
const address = new URL(location.href);
const state = { users: [], calendar: null, first: null, zone: "", now: "", items: [], opened: address.searchParams.get("event"), held: false, drawn: null };

// Days are texts such as 2026-11-23 and are counted in UTC, where every day has 24 hours.
const addDays = (day, count) => new Date(Date.parse(`${day}T00:00:00Z`) + count * 864e5).toISOString().slice(0, 10);
const daysBetween = (from, to) => Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 864e5);
const minuteOf = (local) => Number(local.slice(11, 13)) * 60 + Number(local.slice(14, 16));
const clock = (minutes) => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
const dateOf = (day) => new Date(`${day}T00:00:00Z`);
const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
const columns = () => (phone.matches ? 3 : 7);
const days = () => Array.from({ length: columns() }, (_, index) => addDays(state.first, index));
/** The wall-clock time so many minutes after midnight of a day; the minutes may pass the day's ends. */
const localTime = (day, minutes) => `${addDays(day, Math.floor(minutes / DAY))}T${clock(((minutes % DAY) + DAY) % DAY)}:00`;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

async function call(method, path, body) {
  const headers = body ? { "content-type": "application/json" } : {};
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Error(problem.error?.message ?? problem.error ?? `The simulator answered ${answer.status}.`);
  }
  return answer.status === 204 ? null : answer.json();
}

/** Runs what talks to the server and shows a failure. */
async function attempt(action) {
  const message = byId("message");
  try {
    message.hidden = true;
    await action();
  } catch (error) {
    message.textContent = error.message;
    message.hidden = false;
  }
}

function firstDayFor(day) {
  if (phone.matches) return day;
  return addDays(day, -((dateOf(day).getUTCDay() + 6) % 7));
}

function editable() {
  return ["owner", "writer"].includes(state.calendar?.access_role);
}

async function load() {
  const query = new URLSearchParams({ calendar: state.calendar.id, from: state.first, to: addDays(state.first, columns()) });
  const answer = await call("GET", `/control/events?${query}`);
  Object.assign(state, { items: answer.items, zone: answer.time_zone, now: answer.now });
  // What is shown already stays as it is: nothing moves under a pointer or a focus without a reason.
  const drawn = JSON.stringify([state.calendar.id, state.first, columns(), state.now.slice(0, 16), state.items]);
  if (state.held || drawn === state.drawn) return;
  state.drawn = drawn;
  draw();
}

async function show(day) {
  state.first = firstDayFor(day);
  address.searchParams.set("calendar", state.calendar.id);
  address.searchParams.set("day", state.first);
  address.searchParams.delete("event");
  history.replaceState(null, "", address);
  await attempt(load);
}

function choose(calendar) {
  state.calendar = calendar;
  closeDetails();
  drawCalendars();
}

function drawCalendars() {
  byId("calendars").replaceChildren(...state.users.map((user) => element("section", {},
    element("h2", { textContent: user.email.split("@")[0], title: user.email }),
    element("p", { textContent: user.time_zone.replace("_", " ") }),
    ...user.calendars.map((calendar) => {
      const current = calendar === state.calendar;
      const item = element("button", { type: "button", textContent: calendar.primary ? "Calendar" : calendar.summary });
      item.style.setProperty("--color", calendar.color);
      item.setAttribute("aria-current", String(current));
      item.dataset.calendarId = calendar.id;
      item.dataset.user = user.email;
      item.addEventListener("click", () => {
        choose(calendar);
        show(state.first);
      });
      return item;
    }))));
}

function drawPeriod() {
  const last = addDays(state.first, columns() - 1);
  byId("period").textContent = format({ month: "long", year: "numeric" }).formatRange(dateOf(state.first), dateOf(last));
}

function drawDays() {
  const today = state.now.slice(0, 10);
  byId("days").replaceChildren(element("span", { className: "zone", textContent: state.zone.split("/").pop().replace("_", " "), title: state.zone }),
    ...days().map((day) => element("div", { className: day === today ? "today" : "" },
      format({ weekday: "short" }).format(dateOf(day)),
      element("b", { textContent: String(Number(day.slice(8))) }))));
}

function drawAllDay() {
  const lanes = [];
  const shown = state.items.filter((item) => item.local.all_day).map((item) => {
    const from = Math.max(0, daysBetween(state.first, item.local.start));
    const to = Math.min(columns(), daysBetween(state.first, item.local.end));
    let lane = lanes.findIndex((end) => end <= from);
    if (lane < 0) lane = lanes.length;
    lanes[lane] = to;
    const chip = eventButton(item);
    chip.style.gridColumn = `${from + 2} / ${to + 2}`;
    chip.style.setProperty("--lane", lane + 1);
    chip.textContent = item.event.summary ?? "(No title)";
    chip.addEventListener("click", () => openDetails(item, chip));
    return chip;
  });
  byId("all-day").replaceChildren(...shown);
}

function eventButton(item) {
  const made = element("button", { type: "button" });
  made.style.setProperty("--color", state.calendar.color);
  made.dataset.eventId = item.event.id;
  return made;
}

/** The parts of timed events that fall into a day, with the lanes that keep them from covering each other. */
function segmentsOf(day) {
  const next = addDays(day, 1);
  const segments = state.items.filter((item) => !item.local.all_day && item.local.start.slice(0, 10) <= day && item.local.end > `${day}T00:00:00`)
    .map((item) => {
      const starts = item.local.start.slice(0, 10) === day;
      const from = starts ? minuteOf(item.local.start) : 0;
      const to = item.local.end >= `${next}T00:00:00` ? DAY : minuteOf(item.local.end);
      return { item, starts, from, to: Math.max(to, from + SNAP) };
    })
    .sort((a, b) => a.from - b.from || b.to - a.to);
  let cluster = [];
  let clusterEnd = -1;
  const spread = () => {
    const width = Math.max(0, ...cluster.map((segment) => segment.lane)) + 1;
    for (const segment of cluster) segment.lanes = width;
  };
  for (const segment of segments) {
    if (segment.from >= clusterEnd) {
      spread();
      cluster = [];
    }
    const taken = cluster.filter((other) => other.to > segment.from).map((other) => other.lane);
    segment.lane = 0;
    while (taken.includes(segment.lane)) segment.lane += 1;
    cluster.push(segment);
    clusterEnd = Math.max(clusterEnd, segment.to);
  }
  spread();
  return segments;
}

function place(box, from, to) {
  box.style.top = `calc(${from / 60} * var(--hour) + 1px)`;
  box.style.height = `calc(${(to - from) / 60} * var(--hour) - 2px)`;
  box.classList.toggle("short", to - from <= 30);
}

function label(box, summary, from, to) {
  const times = `${clock(from)} – ${clock(to % DAY)}`;
  const time = element("span", { textContent: to - from <= 30 ? clock(from) : times });
  box.replaceChildren(element("b", { textContent: summary || "(No title)" }), time, element("span", { className: "handle" }));
}

function drawSegment(segment) {
  const { item, from, to } = segment;
  const box = eventButton(item);
  box.className = "event";
  box.classList.toggle("free", item.event.transparency === "transparent");
  box.style.setProperty("--left", segment.lane / segment.lanes);
  box.style.setProperty("--width", 1 / segment.lanes);
  label(box, item.event.summary, from, to);
  place(box, from, to);
  box.addEventListener("pointerdown", (event) => startDrag(event, segment, box));
  // A click that no pointer made comes from the keyboard.
  box.addEventListener("click", (event) => event.detail === 0 && openDetails(item, box));
  return box;
}

function drawGrid() {
  const today = state.now.slice(0, 10);
  const hours = element("div", { className: "hours" });
  for (let hour = 1; hour < 24; hour += 1) {
    const text = element("span", { textContent: clock(hour * 60) });
    text.style.top = `calc(${hour} * var(--hour))`;
    hours.append(text);
  }
  byId("grid").replaceChildren(hours, ...days().map((day) => {
    const weekend = [0, 6].includes(dateOf(day).getUTCDay());
    const column = element("div", { className: weekend ? "column weekend" : "column" }, ...segmentsOf(day).map(drawSegment));
    column.dataset.day = day;
    column.addEventListener("click", (event) => event.target === column && openEditor(day, minuteAt(column, event.clientY)));
    if (day === today) {
      const line = element("div", { className: "now" });
      line.style.top = `calc(${minuteOf(state.now) / 60} * var(--hour))`;
      column.append(line);
    }
    return column;
  }));
}

function draw() {
  document.documentElement.style.setProperty("--columns", columns());
  byId("week").classList.toggle("editable", editable());
  byId("add").disabled = !editable();
  drawPeriod();
  drawDays();
  drawAllDay();
  drawGrid();
  if (state.opened) {
    const item = state.items.find((known) => known.event.id === state.opened);
    const box = document.querySelector(`[data-event-id="${CSS.escape(state.opened)}"]`);
    if (item && box) openDetails(item, box);
    else closeDetails();
  }
}

function minuteAt(column, y) {
  const box = column.getBoundingClientRect();
  return Math.max(0, Math.min(DAY - SNAP, ((y - box.top) / box.height) * DAY));
}

const snapped = (minutes) => Math.round(minutes / SNAP) * SNAP;

function columnAt(x) {
  const all = [...document.querySelectorAll(".column")];
  return all.find((column) => x < column.getBoundingClientRect().right) ?? all.at(-1);
}

/** Follows the pointer: the body of an event moves it, the handle at its lower edge lengthens it. */
function startDrag(event, segment, box) {
  if (event.button !== 0) return;
  event.preventDefault();
  box.focus();
  box.setPointerCapture(event.pointerId);
  const resizing = event.target.classList.contains("handle");
  const grabbed = minuteAt(box.parentElement, event.clientY) - segment.from;
  const target = { day: box.parentElement.dataset.day, from: segment.from, to: segment.to };
  const origin = { x: event.clientX, y: event.clientY };
  const canMove = editable() && segment.starts;
  const listening = new AbortController();
  let dragged = false;
  // From here on the week is not drawn again: that would take the event from under the pointer.
  state.held = true;

  const move = (at) => {
    if (!canMove || (!dragged && Math.hypot(at.clientX - origin.x, at.clientY - origin.y) < 4)) return;
    dragged = true;
    box.classList.add("moving");
    const column = resizing ? box.parentElement : columnAt(at.clientX);
    const minute = minuteAt(column, at.clientY);
    if (resizing) {
      target.to = Math.min(DAY, Math.max(target.from + SNAP, snapped(minute)));
    } else {
      const length = segment.to - segment.from;
      target.day = column.dataset.day;
      target.from = Math.max(0, Math.min(DAY - SNAP, snapped(minute - grabbed)));
      target.to = target.from + length;
      box.style.setProperty("--left", 0);
      box.style.setProperty("--width", 1);
      box.style.translate = `${column.offsetLeft - box.parentElement.offsetLeft}px 0`;
    }
    place(box, target.from, target.to);
    label(box, segment.item.event.summary, target.from, target.to);
  };
  const finish = (done) => {
    listening.abort();
    state.held = false;
    if (!dragged && done) openDetails(segment.item, box);
    // A drag leaves the event where the pointer was: the answer puts it where it belongs.
    if (dragged) state.drawn = null;
    const effect = dragged && done ? attempt(() => moved(segment, target, resizing)) : Promise.resolve();
    effect.finally(() => attempt(load));
  };
  const { signal } = listening;
  box.addEventListener("pointermove", move, { signal });
  box.addEventListener("pointerup", () => finish(true), { signal });
  box.addEventListener("pointercancel", () => finish(false), { signal });
  addEventListener("keydown", (key) => key.key === "Escape" && finish(false), { signal });
}

async function moved({ item, from }, target, resizing) {
  const { start, end } = item.local;
  const length = daysBetween(start.slice(0, 10), end.slice(0, 10)) * DAY + minuteOf(end) - minuteOf(start);
  const last = resizing ? target.to : target.from + length;
  if (!resizing && target.day === start.slice(0, 10) && target.from === from) return;
  const time = (minutes) => ({ dateTime: localTime(target.day, minutes), timeZone: state.zone });
  const path = `/control/events/${encodeURIComponent(state.calendar.id)}/${encodeURIComponent(item.event.id)}`;
  closeDetails();
  await call("PATCH", path, { start: time(target.from), end: time(last) });
}

function openEditor(day, minute) {
  if (!editable()) return;
  closeDetails();
  const form = byId("editor").querySelector("form");
  const from = Math.min(Math.floor(minute / 30) * 30, DAY - 60);
  form.reset();
  form.elements.day.value = day;
  form.elements.start.value = clock(from);
  form.elements.end.value = clock(Math.min(from + 60, DAY - SNAP));
  const draft = element("div", { className: "event draft" });
  draft.style.setProperty("--left", 0);
  draft.style.setProperty("--width", 1);
  place(draft, from, from + 60);
  document.querySelector(`[data-day="${day}"]`)?.append(draft);
  byId("editor").showModal();
}

async function save(form) {
  const { summary, day, start, end } = Object.fromEntries(new FormData(form));
  const time = (clockTime) => ({ dateTime: `${day}T${clockTime}:00`, timeZone: state.zone });
  const { titleMember } = document.body.dataset;
  const event = { calendar: state.calendar.id, [titleMember]: summary.trim() || "Busy", start: time(start), end: time(end) };
  await call("POST", "/control/events", event);
}

const RESPONSES = { accepted: "accepted", declined: "declined", tentative: "maybe", needsAction: "no answer yet" };

function whenText({ local }) {
  const day = format({ weekday: "long", day: "numeric", month: "long" });
  if (local.all_day) return day.formatRange(dateOf(local.start), dateOf(addDays(local.end, -1)));
  const [start, end] = [local.start, local.end].map((text) => text.slice(0, 10));
  const until = start === end ? clock(minuteOf(local.end)) : `${day.format(dateOf(end))}, ${clock(minuteOf(local.end))}`;
  return `${day.format(dateOf(start))}, ${clock(minuteOf(local.start))} – ${until}`;
}

function meetText(event) {
  const status = event.conferenceData?.createRequest?.status?.statusCode;
  const { meeting } = document.body.dataset;
  if (event.hangoutLink) return `Join with ${meeting}`;
  if (status === "pending") return `${meeting} is being made…`;
  return status === "failure" ? `${meeting} could not be made` : "";
}

function openDetails(item, box) {
  const { event } = item;
  state.opened = event.id;
  byId("details-title").textContent = event.summary ?? "(No title)";
  byId("details-when").textContent = whenText(item);
  const meet = byId("details-meet");
  meet.textContent = meetText(event);
  meet.hidden = !meet.textContent;
  if (event.hangoutLink) meet.href = event.hangoutLink;
  else meet.removeAttribute("href");
  const facts = [];
  const fact = (name, ...content) => facts.push(element("dt", { textContent: name }), element("dd", {}, ...content));
  if (event.location) fact("Where", event.location);
  const guests = (event.attendees ?? []).map((guest) => element("div", { textContent: guest.displayName ? `${guest.displayName}, ${guest.email} ` : `${guest.email} ` },
    element("small", { textContent: RESPONSES[guest.responseStatus] ?? "" })));
  if (guests.length) fact("Guests", ...guests);
  if (event.description) fact("Description", event.description);
  if (event.hangoutLink) fact("Link", event.hangoutLink);
  byId("details-facts").replaceChildren(...facts);
  byId("details-delete").hidden = !editable();
  const details = byId("details");
  details.hidden = false;
  const anchor = box.getBoundingClientRect();
  const size = details.getBoundingClientRect();
  const right = anchor.right + 10 + size.width < innerWidth;
  details.style.left = `${Math.max(12, right ? anchor.right + 10 : anchor.left - size.width - 10)}px`;
  details.style.top = `${Math.max(12, Math.min(anchor.top, innerHeight - size.height - 12))}px`;
}

function closeDetails() {
  state.opened = null;
  byId("details").hidden = true;
}

async function remove() {
  const path = `/control/events/${encodeURIComponent(state.calendar.id)}/${encodeURIComponent(state.opened)}`;
  closeDetails();
  await call("DELETE", path);
  await load();
}

byId("previous").addEventListener("click", () => show(addDays(state.first, -columns())));
byId("next").addEventListener("click", () => show(addDays(state.first, columns())));
byId("today").addEventListener("click", () => show(state.now.slice(0, 10)));
byId("add").addEventListener("click", () => {
  const today = state.now.slice(0, 10);
  openEditor(days().includes(today) ? today : state.first, minuteOf(state.now) + 30);
});
byId("details-close").addEventListener("click", closeDetails);
byId("details-delete").addEventListener("click", () => attempt(remove));
byId("editor-cancel").addEventListener("click", () => byId("editor").close("cancel"));
byId("editor").addEventListener("close", () => document.querySelector(".draft")?.remove());
byId("editor").querySelector("form").addEventListener("submit", (event) => attempt(async () => {
  await save(event.target);
  await load();
}));
addEventListener("keydown", (event) => event.key === "Escape" && closeDetails());
addEventListener("pointerdown", (event) => {
  if (!event.target.closest("#details, [data-event-id]")) closeDetails();
});
phone.addEventListener("change", () => state.calendar && show(state.first));

async function begin() {
  state.users = (await call("GET", "/control/users")).users;
  const all = state.users.flatMap((user) => user.calendars);
  const opened = state.opened;
  choose(all.find((calendar) => calendar.id === address.searchParams.get("calendar")) ?? all[0]);
  state.opened = opened;
  // The simulated clock says what today is, in the calendar's zone.
  state.first = "1970-01-01";
  await load();
  await show(address.searchParams.get("day") ?? state.now.slice(0, 10));
  const first = Math.min(8 * 60, ...state.items.filter((item) => !item.local.all_day).map((item) => minuteOf(item.local.start)));
  byId("scroll").scrollTop = (Math.max(0, first - 45) / 60) * parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--hour"));
  const changes = new EventSource("/control/changes");
  changes.addEventListener("message", () => attempt(load));
  changes.addEventListener("open", () => attempt(load));
  setInterval(() => attempt(load), 60_000);
}
attempt(begin);
