// From a picked time to an appointment and beyond, also when the network, the clock or a finger does not help.

import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page, Request } from '@playwright/test';
import { hearEvents, openSite, script, told } from './site';
import { fillDetails, freeDays, minute, openFreeDay, openWholeDay, slots, starts } from './widget';
import { expect, test, type World } from './world';

const BOOKINGS = '**/embed/v1/appointments?*';

const confirm = (place: Page | Locator) => place.getByRole('button', { name: 'Confirm booking' });
const confirmed = (place: Page | Locator) => place.getByRole('heading', { name: 'Your appointment is confirmed' });

/** Opens an event type and picks the first time of a whole day. */
async function pick(page: Page, world: World, event = 'demo/intro'): Promise<string> {
  await page.goto(`${world.site}/?event=${event}`);
  const [start] = await openWholeDay(page);
  await page.locator(`button[data-start="${start}"]`).click();
  await expect(page.getByRole('heading', { name: 'Your details' })).toBeVisible();
  return start;
}

async function pickAndFill(page: Page, world: World, name: string): Promise<string> {
  const start = await pick(page, world);
  await fillDetails(page, name, 'flora@example.net');
  return start;
}

/** The bookings that the page asks for, as they go out. */
function bookingsOf(page: Page): Request[] {
  const requests: Request[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && /\/embed\/v1\/appointments\?/.test(request.url())) requests.push(request);
  });
  return requests;
}

async function expectAccessible(page: Page, what: string) {
  // The landmarks are the page's.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const { violations } = await new AxeBuilder({ page }).include('cupo-booking').disableRules(['region']).analyze();
  expect(violations.map(({ id, nodes }) => ({ what, id, nodes: nodes.map(({ html }) => html) }))).toEqual([]);
}

let demo: Awaited<ReturnType<World['seed']>>;

test.beforeEach(async ({ world }) => {
  demo = await world.seed();
});

test('what is wrong is told beside its field, and nothing moves under a press', async ({ page, world }) => {
  await pick(page, world, 'demo/portrait');
  // The site scrolls smoothly, which must be over before the pointer rests.
  await page.addStyleTag({ content: 'html { scroll-behavior: auto }' });
  const email = page.getByLabel(/^e-mail/i);
  await email.fill('flora@');
  const small = page.getByRole('radio', { name: 'Small' });
  // It stands still, with the pointer on it.
  await small.hover();
  const place = () => small.evaluate((box) => box.getBoundingClientRect().top - box.closest('.card')!.getBoundingClientRect().top);
  const before = await place();
  await page.mouse.down();
  // The field has lost the focus, and its complaint would move what is below it.
  await expect(email).not.toBeFocused();
  expect(await place()).toBe(before);
  await expect(page.getByText(/an address like/)).toHaveCount(0);
  await page.mouse.up();
  await expect(small).toBeChecked();
  await expect(page.getByText(/an address like/)).toBeVisible();
  const described = await email.getAttribute('aria-describedby');
  await expect(page.locator(`[id="${described}"]`)).toHaveText(/an address like/);
  await expect(email).toHaveAttribute('aria-invalid', 'true');
  await email.fill('flora@example.net');
  await expect(page.getByText(/an address like/)).toHaveCount(0);
  // By the keyboard it is told at once.
  await email.fill('flora@');
  await page.keyboard.press('Tab');
  await expect(page.getByText(/an address like/)).toBeVisible();
  await page.getByRole('button', { name: 'Request booking' }).click();
  await expect(page.getByLabel(/^name/i)).toBeFocused();
  await expectAccessible(page, 'details with problems');
});

test('browsers know what to fill in, and a telephone number without a country is that of the visitor', async ({ page, world }) => {
  await pick(page, world, 'demo/consult');
  for (const [label, autocomplete, type] of [[/^name/i, 'name', 'text'], [/^e-mail/i, 'email', 'email'], [/^telephone/i, 'tel', 'tel']] as const) {
    await expect(page.getByLabel(label)).toHaveAttribute('autocomplete', autocomplete);
    await expect(page.getByLabel(label)).toHaveAttribute('type', type);
  }
  const code = page.getByText('+44', { exact: true });
  await expect(code).toBeVisible();
  const phone = page.getByLabel(/^telephone/i);
  await phone.fill('+34');
  await expect(code).toBeHidden();
  await phone.fill('020');
  await phone.blur();
  await expect(page.getByText(/enter a telephone number/)).toBeVisible();
  await phone.fill('020 7946 0018');
  await expect(code).toBeVisible();
  await expectAccessible(page, 'details with a telephone number');
  await fillDetails(page, 'Phil Phone', 'phil@example.net');
  await confirm(page).click();
  await expect(confirmed(page)).toBeVisible();
  const mail = await world.mailTo('ana@example.com', /Phil Phone/);
  expect(mail.text).toContain('+442079460018');
});

test('a time that is kept is counted down near its end, can be kept longer, and its end leads back to fresh times', async ({ page, world }) => {
  await page.clock.install();
  const start = await pickAndFill(page, world, 'Clara Clock');
  const timer = page.getByRole('timer');
  await page.clock.fastForward('07:00');
  await expect(timer).toHaveCount(0);
  await page.clock.fastForward('01:05');
  await expect(timer).toContainText(/kept for you for 1:[0-5]\d more/);
  await expect(page.locator('cupo-booking .unseen[role=status]')).toContainText('This time is kept for you');
  await expectAccessible(page, 'countdown');
  const again = page.waitForResponse((answer) => answer.url().includes('/embed/v1/holds') && answer.request().method() === 'POST');
  await page.getByRole('button', { name: 'Keep it longer' }).click();
  expect((await again).status()).toBe(201);
  await expect(timer).toHaveCount(0);
  await expect(page.getByLabel(/^e-mail/i), 'who typed goes on typing').toBeFocused();
  await page.clock.fastForward('07:00');
  await expect(timer).toHaveCount(0);
  await page.clock.fastForward('01:30');
  await expect(timer).toBeVisible();
  await page.clock.fastForward('02:00');
  const notice = page.getByText('We could keep that time no longer.');
  await expect(notice).toBeVisible();
  await expect(notice).toBeFocused();
  await expectAccessible(page, 'expired');
  await page.locator(`button[data-start="${start}"]`).click();
  await expect(page.getByLabel(/^name/i)).toHaveValue('Clara Clock');
  await confirm(page).click();
  await expect(confirmed(page)).toBeVisible();
});

test('a time that cannot be kept longer stays kept until its end, and is booked', async ({ page, world }) => {
  await page.clock.install();
  await pickAndFill(page, world, 'Lena Longer');
  const timer = page.getByRole('timer');
  await page.clock.fastForward('08:05');
  await expect(timer).toBeVisible();
  await page.route('**/embed/v1/holds?*', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"code":"unavailable"}' }));
  await page.getByRole('button', { name: 'Keep it longer' }).click();
  await expect(timer).toContainText(/kept for you for 1:[0-5]\d more/);
  await confirm(page).click();
  await expect(confirmed(page)).toBeVisible();
});

test('whoever goes back after a booking without an answer sees what became of it, and books once', async ({ page, world }) => {
  const start = await pickAndFill(page, world, 'Bo Back');
  const sent = bookingsOf(page);
  await page.route(BOOKINGS, async (route) => {
    // The first booking gets through, its answer does not; nor does the second one.
    if (sent.length === 1) await route.fetch();
    if (sent.length < 3) await route.abort();
    else await route.continue();
  });
  await confirm(page).click();
  const lost = page.getByText('We could not reach the calendar.');
  await expect(lost).toBeVisible();
  await page.getByRole('button', { name: 'Back' }).click();
  await expect.poll(() => sent.length).toBe(2);
  await expect(lost).toBeVisible();
  await expect(slots(page)).toHaveCount(0);
  await page.getByRole('button', { name: 'Back' }).click();
  await expect(confirmed(page)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Reschedule' })).toBeVisible();
  const keys = new Set(await Promise.all(sent.map((request) => request.headerValue('idempotency-key'))));
  expect([sent.length, keys.size]).toEqual([3, 1]);
  await expect.poll(async () => (await world.events()).map((event) => minute(event.start.dateTime))).toEqual([minute(start)]);
});

test('two calendars of one event type on a page keep apart what is typed', async ({ page, world }) => {
  const body = `${script(world)}<cupo-booking id="one" event="demo/intro"></cupo-booking><cupo-booking id="two" event="demo/intro"></cupo-booking>`;
  await hearEvents(page);
  await openSite(page, world, body);
  const [one, two] = ['#one', '#two'].map((id) => page.locator(id));
  await expect(slots(one).first()).toBeVisible();
  const [start] = await openWholeDay(two);
  await two.locator(`button[data-start="${start}"]`).click();
  await fillDetails(two, 'Tom Two', 'tom@example.net');
  const held: string[] = [];
  page.on('request', (request) => request.method() === 'POST' && request.url().includes('/embed/v1/holds') && held.push(request.url()));
  await page.reload();
  await expect.poll(async () => (await told(page)).filter(([name]) => name === 'ready').length).toBe(2);
  await expect(two.getByLabel(/^name/i)).toHaveValue('Tom Two');
  await expect(slots(one).first()).toBeVisible();
  await expect(one.getByLabel(/^name/i)).toHaveCount(0);
  expect(held).toHaveLength(1);
  // What the first one does is nothing to the second.
  const released: string[] = [];
  page.on('request', (request) => request.method() === 'DELETE' && released.push(request.url()));
  await openWholeDay(one);
  await slots(one).last().click();
  await fillDetails(one, 'Olga One', 'olga@example.net');
  await confirm(two).click();
  await expect(confirmed(two)).toBeVisible();
  await expect(one.getByLabel(/^name/i)).toHaveValue('Olga One');
  expect(released).toEqual([]);
});

test('without a network nothing is lost, and with it the booking goes out by itself, once', async ({ page, context, world }) => {
  await pickAndFill(page, world, 'Otto Offline');
  const sent = bookingsOf(page);
  await context.setOffline(true);
  await expect(page.getByText('You are offline.')).toBeVisible();
  await confirm(page).click();
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
  await expect(page.getByLabel(/^name/i)).toHaveValue('Otto Offline');
  await expectAccessible(page, 'offline');
  await context.setOffline(false);
  await expect(confirmed(page)).toBeVisible();
  const keys = new Set(await Promise.all(sent.map((request) => request.headerValue('idempotency-key'))));
  expect([sent.length, keys.size]).toEqual([2, 1]);
  await expect.poll(async () => (await world.events()).length).toBe(1);
});

test('free times that could not be had come with the network', async ({ page, context, world }) => {
  await page.goto(`${world.site}/?event=demo/coaching`);
  await openFreeDay(page);
  await context.setOffline(true);
  await page.getByRole('radio', { name: '1 h', exact: true }).click();
  await expect(page.getByText('The free times could not be loaded.')).toBeVisible();
  await expect(page.getByText('You are offline.')).toBeVisible();
  await expectAccessible(page, 'offline slots');
  await context.setOffline(false);
  await expect(slots(page).first()).toBeVisible();
  await expect(page.getByText('You are offline.')).toHaveCount(0);
});

test('an answer that takes long says so, and what fails can be sent again', async ({ page, world }) => {
  await page.clock.install();
  await pickAndFill(page, world, 'Sloan Slow');
  const sent = bookingsOf(page);
  let fail = () => {};
  const failing = new Promise<void>((resolve) => (fail = resolve));
  await page.route(BOOKINGS, async (route) => {
    await failing;
    await route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"code":"unavailable"}' });
  });
  await confirm(page).click();
  await expect(page.getByRole('button', { name: 'Sending…' })).toBeVisible();
  const slow = page.getByText('This is taking longer than usual.');
  await expect(slow).toHaveCount(0);
  await page.clock.fastForward(6_000);
  await expect(slow).toBeVisible();
  await expectAccessible(page, 'slow');
  fail();
  await expect(page.getByText('We could not reach the calendar.')).toBeVisible();
  await expect(slow).toHaveCount(0);
  await expectAccessible(page, 'failed');
  await page.unroute(BOOKINGS);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(confirmed(page)).toBeVisible();
  const keys = new Set(await Promise.all(sent.map((request) => request.headerValue('idempotency-key'))));
  expect([sent.length, keys.size]).toEqual([2, 1]);
});

test('a page that is loaded again has everything that was typed, in the session of its tab and nowhere else', async ({ page, context, world }) => {
  const start = await pickAndFill(page, world, 'Rita Reload');
  await page.getByLabel(/^notes/i).fill('one\ntwo');
  await page.reload();
  await expect(page.getByLabel(/^name/i)).toHaveValue('Rita Reload');
  await expect(page.getByLabel(/^e-mail/i)).toHaveValue('flora@example.net');
  await expect(page.getByLabel(/^notes/i)).toHaveValue('one\ntwo');
  const kept = () => page.evaluate(() => ({ session: Object.keys(sessionStorage), local: Object.keys(localStorage) }));
  expect(await kept()).toEqual({ session: ['cupo:demo/intro'], local: [] });
  expect(await context.cookies()).toEqual([]);
  // Another tab knows nothing.
  const other = await context.newPage();
  await other.goto(`${world.site}/`);
  await openFreeDay(other);
  await slots(other).first().click();
  await expect(other.getByLabel(/^name/i)).toHaveValue('');
  await other.close();
  // Its own hold does not stand in the way of going back.
  await page.getByRole('button', { name: 'Back' }).click();
  await expect(page.locator(`button[data-start="${start}"]`)).toBeVisible();
  await page.locator(`button[data-start="${start}"]`).click();
  await confirm(page).click();
  await expect(confirmed(page)).toBeVisible();
  expect(await kept()).toEqual({ session: [], local: [] });
});

test('a page that is loaded again while a booking is under way books once', async ({ page, world }) => {
  const start = await pickAndFill(page, world, 'Rhea Reload');
  const sent = bookingsOf(page);
  let arrived = () => {};
  const arriving = new Promise<void>((resolve) => (arrived = resolve));
  await page.route(BOOKINGS, async (route) => {
    if (sent.length > 1) return route.continue();
    // The booking gets through, its answer does not.
    await route.fetch();
    arrived();
  });
  await confirm(page).click();
  await arriving;
  await page.reload();
  await expect(confirmed(page)).toBeVisible();
  const keys = new Set(await Promise.all(sent.map((request) => request.headerValue('idempotency-key'))));
  expect([sent.length, keys.size]).toEqual([2, 1]);
  await expect.poll(async () => (await world.events()).map((event) => minute(event.start.dateTime))).toEqual([minute(start)]);
});

test('a doubled click books once and opens nothing else', async ({ page, context, world }) => {
  await page.goto(`${world.site}/`);
  const [start] = await openWholeDay(page);
  await page.locator(`button[data-start="${start}"]`).dblclick();
  await expect(page.getByRole('heading', { name: 'Your details' })).toBeVisible();
  await fillDetails(page, 'Dora Double', 'flora@example.net');
  const sent = bookingsOf(page);
  await confirm(page).dblclick();
  await expect(confirmed(page)).toBeVisible();
  expect([sent.length, context.pages().length]).toEqual([1, 1]);
  await expect.poll(async () => (await world.events()).length).toBe(1);
});

test('what was booked can be added to calendars, moved and cancelled without leaving the page', async ({ page, world }) => {
  await hearEvents(page);
  const start = await pickAndFill(page, world, 'Mona Move');
  await confirm(page).click();
  await expect(confirmed(page)).toBeVisible();
  await expect(page.getByRole('link', { name: 'Google', exact: true })).toHaveAttribute('href', /calendar\.google\.com/);
  await expect(page.getByRole('link', { name: 'Outlook' })).toHaveAttribute('href', /outlook/);
  await expect(page.getByRole('link', { name: /\.ics/ })).toHaveAttribute('href', /calendar\.ics$/);
  await expect(page.getByRole('link', { name: /meet\.google\.com/ })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText('on its way to flora@example.net')).toBeVisible();
  await expectAccessible(page, 'confirmed');

  await page.getByRole('button', { name: 'Reschedule' }).click();
  await expect(page.getByRole('heading', { name: 'Choose a new time' })).toBeFocused();
  await expect(slots(page).first()).toBeVisible();
  const next = (await starts(page)).find((other) => other !== start)!;
  await expectAccessible(page, 'a new time');
  await page.locator(`button[data-start="${next}"]`).click();
  await expect(page.getByRole('heading', { name: 'Move your appointment?' })).toBeFocused();
  await expectAccessible(page, 'moving');
  await page.getByRole('button', { name: 'Back' }).click();
  await page.locator(`button[data-start="${next}"]`).click();
  await page.getByRole('button', { name: 'Move appointment' }).click();
  await expect(page.getByRole('heading', { name: 'Your appointment has a new time' })).toBeFocused();
  await expect.poll(async () => (await world.events()).map((event) => minute(event.start.dateTime))).toEqual([minute(next)]);

  await page.getByRole('button', { name: 'Cancel appointment' }).click();
  await expect(page.getByRole('heading', { name: 'Cancel this appointment?' })).toBeFocused();
  await page.getByLabel(/^reason/i).fill('I feel better');
  await expectAccessible(page, 'cancelling');
  await page.getByRole('button', { name: 'Cancel it now' }).click();
  await expect(page.getByRole('heading', { name: 'Your appointment is cancelled' })).toBeFocused();
  await expectAccessible(page, 'cancelled');
  await expect.poll(async () => world.events()).toEqual([]);
  expect((await world.mailTo('ana@example.com', /cancel/i)).text).toContain('I feel better');
  await page.getByRole('button', { name: 'Book another time' }).click();
  await expect(slots(page).first()).toBeVisible();

  const names = (await told(page)).filter(([name]) => /booked|rescheduled|cancelled/.test(name));
  expect(names.map(([name, detail]) => [name, minute(detail.start)])).toEqual([
    ['booked', minute(start)],
    ['rescheduled', minute(next)],
    ['cancelled', minute(next)],
  ]);
  expect(JSON.stringify(names)).not.toContain('flora');
});

test('an appointment opens by its secret, says what is wrong when it cannot, and one that is too late stays', async ({ page, world }) => {
  const book = async (event: string, start: string) => {
    const answer = await fetch(`${world.cupo}/embed/v1/appointments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': start + event, origin: world.site },
      body: JSON.stringify({ org: 'demo', event, start, name: 'Sid Secret', email: 'sid@example.net', time_zone: 'Europe/Madrid' }),
    });
    expect(answer.status).toBe(201);
    return (await answer.json()) as { token: string };
  };
  await page.goto(`${world.site}/`);
  const [start] = await openWholeDay(page);
  const { token } = await book('intro', start);
  const tag = (token: string) => `${script(world)}<cupo-booking event="demo/intro" manage="${token}"></cupo-booking>`;

  await page.route('**/embed/v1/appointments/*', (route) => route.abort());
  await openSite(page, world, tag(token));
  await expect(page.getByText('We could not reach the calendar.')).toBeVisible();
  await expectAccessible(page, 'not opened');
  await page.unroute('**/embed/v1/appointments/*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('heading', { name: 'Your appointment', exact: true })).toBeVisible();
  await expectAccessible(page, 'opened');

  // Somebody cancels it elsewhere meanwhile.
  await page.getByRole('button', { name: 'Reschedule' }).click();
  await expect(slots(page).first()).toBeVisible();
  const next = (await starts(page)).find((other) => other !== start)!;
  await page.locator(`button[data-start="${next}"]`).click();
  const cancelled = await fetch(`${world.cupo}/embed/v1/appointments/${token}/cancel`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: world.site },
    body: '{}',
  });
  expect(cancelled.status).toBe(200);
  await page.getByRole('button', { name: 'Move appointment' }).click();
  await expect(page.getByText('This appointment cannot be changed here any more.')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Your appointment is cancelled' })).toBeVisible();

  await openSite(page, world, tag('unknown'));
  await expect(page.getByText('This appointment was not found.')).toBeVisible();
  await page.getByRole('button', { name: 'Book another time' }).click();
  await expect(freeDays(page).first()).toBeVisible();
});

test('a page fills in and answers beforehand, and tells where the visitor came from', async ({ browser, page, world }) => {
  const attributes = 'prefill-name="Paula Prefill" prefill-email="paula@example.net" hidden-size="Large" hidden-people="9" utm-medium="mail"';
  const body = `${script(world)}<cupo-booking event="demo/portrait" ${attributes}></cupo-booking>`;
  await openSite(page, world, body, { query: '?utm_source=letter&fbclid=secret' });
  await openWholeDay(page);
  await slots(page).first().click();
  await expect(page.getByLabel(/^name/i)).toHaveValue('Paula Prefill');
  await expect(page.getByLabel(/^e-mail/i)).toHaveValue('paula@example.net');
  await expect(page.getByText('Which size?')).toHaveCount(0);
  // What the host does not accept is asked after all.
  await expect(page.getByLabel(/How many people/)).toHaveValue('9');
  // It stays there while it is mended, whatever is accepted on the way.
  await page.getByLabel(/How many people/).fill('');
  await page.getByLabel(/How many people/).pressSequentially('2');
  await expect(page.getByLabel(/How many people/)).toBeFocused();
  await page.getByLabel(/What is the portrait for/).fill('A birthday');
  await page.getByRole('checkbox', { name: /I agree/ }).check();
  await page.getByRole('button', { name: 'Request booking' }).click();
  await expect(page.getByRole('heading', { name: 'Your request was sent' })).toBeVisible();
  await expectAccessible(page, 'requested');

  const host = await (await browser.newContext({ locale: 'en-GB' })).newPage();
  await host.goto(`${world.cupo}/sign-in`);
  await host.getByLabel('E-mail').fill(demo.email);
  await host.getByLabel('Password').fill(demo.password);
  await host.getByRole('button', { name: 'Sign in' }).click();
  await expect(host).toHaveURL(/\/dashboard$/);
  await host.goto(`${world.cupo}/dashboard/appointments?filter=pending`);
  const request = await host.locator('main a[href^="/dashboard/appointments/"]').first().getAttribute('href');
  await host.goto(`${world.cupo}${request}`);
  await expect(host.getByText('utm_source: letter')).toBeVisible();
  await expect(host.getByText('utm_medium: mail')).toBeVisible();
  await expect(host.getByText('Large')).toBeVisible();
  await expect(host.getByText('fbclid')).toHaveCount(0);
  await host.context().close();
});

test('an answer of the page that the server refuses comes into sight without mixing up what is typed', async ({ page, world }) => {
  await openSite(page, world, `${script(world)}<cupo-booking event="demo/intro" hidden-name="Nora Name"></cupo-booking>`);
  await openWholeDay(page);
  await slots(page).first().click();
  await expect(page.getByLabel(/^name/i)).toHaveCount(0);
  await page.getByLabel(/^e-mail/i).fill('nora@example.net');
  const refusal = { code: 'invalid-input', errors: [{ field: 'name', detail: 'Not this one.' }] };
  await page.route(BOOKINGS, (route) => route.fulfill({ status: 422, contentType: 'application/problem+json', body: JSON.stringify(refusal) }));
  await confirm(page).click();
  const name = page.getByLabel(/^name/i);
  await expect(name).toBeFocused();
  await expect(name).toHaveValue('Nora Name');
  await expect(page.getByLabel(/^e-mail/i)).toHaveValue('nora@example.net');
  await page.unroute(BOOKINGS);
  await name.pressSequentially('s');
  await confirm(page).click();
  await expect(page.getByText('on its way to nora@example.net')).toBeVisible();
});

test('of a series the later dates can be cancelled together', async ({ page, world }) => {
  const start = await pick(page, world, 'demo/lesson');
  await fillDetails(page, 'Sera Series', 'sera@example.net');
  await page.getByLabel('Repeat').selectOption({ label: 'Every week' });
  await page.getByLabel('Dates', { exact: true }).selectOption('3');
  await expect(page.locator('.dates li')).toHaveCount(3);
  await expectAccessible(page, 'series');
  await confirm(page).click();
  await expect(confirmed(page)).toBeVisible();
  await expect(page.locator('.dates a')).toHaveCount(2);
  await page.getByRole('button', { name: 'Cancel appointment' }).click();
  await page.getByRole('checkbox', { name: 'The later dates of the series too' }).check();
  await page.getByRole('button', { name: 'Cancel it now' }).click();
  await expect(page.getByRole('heading', { name: 'Your appointment is cancelled' })).toBeVisible();
  await page.getByRole('button', { name: 'Book another time' }).click();
  await openWholeDay(page);
  const week = (weeks: number) => minute(new Date(Date.parse(start) + weeks * 7 * 86_400_000).toISOString());
  const answer = await fetch(`${world.cupo}/embed/v1/slots?org=demo&event=lesson&from=${week(1).slice(0, 10)}&to=${week(2).slice(0, 10)}`, {
    headers: { origin: world.site },
  });
  const { slots: free } = (await answer.json()) as { slots: string[] };
  expect(free.map(minute)).toEqual(expect.arrayContaining([week(1), week(2)]));
});
