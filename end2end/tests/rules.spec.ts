// The rules of an event type, as visitors and hosts meet them.

import type { Page } from '@playwright/test';
import { fillDetails, minute, openWholeDay, slots, starts } from './widget';
import { expect, test, type World } from './world';

type Demo = Awaited<ReturnType<World['seed']>>;

async function signIn(page: Page, world: World, demo: Demo) {
  await page.goto(`${world.cupo}/sign-in`);
  await page.getByLabel('E-mail').fill(demo.email);
  await page.getByLabel('Password').fill(demo.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(/\/dashboard$/);
}

/** The address of an event type's page on the dashboard. */
async function eventTypePage(page: Page, world: World, title: string): Promise<string> {
  await page.goto(`${world.cupo}/dashboard/event-types`);
  const link = page.locator('main').getByRole('link', { name: title, exact: true }).first();
  return (await link.getAttribute('href')) ?? '';
}

test('a request with answers waits for the host, who confirms it', async ({ browser, page, world }) => {
  const demo = await world.seed();
  await page.goto(`${world.site}/?event=demo/portrait`);
  await openWholeDay(page);
  await slots(page).first().click();
  await fillDetails(page, 'Petra Portrait', 'petra@example.net');

  // What is missing is told beside each question, and the first of them gets the focus.
  await page.getByRole('button', { name: 'Request booking' }).click();
  await expect(page.getByText('Please tick this box.')).toBeVisible();
  await expect(page.getByLabel(/What is the portrait for/)).toBeFocused();
  await page.getByLabel(/What is the portrait for/).fill('A birthday');
  // What was wrong with it goes when it is left, and what is below moves up.
  await page.getByLabel(/What is the portrait for/).blur();
  await page.getByRole('radio', { name: 'Medium' }).check();
  await page.getByLabel(/How many people/).fill('9');
  await page.getByLabel(/How many people/).blur();
  await page.getByRole('checkbox', { name: /I agree/ }).check();
  await page.getByRole('button', { name: 'Request booking' }).click();
  await expect(page.getByText('Please enter a number from 1 to 4.')).toBeVisible();
  await page.getByLabel(/How many people/).fill('2');
  await page.getByRole('button', { name: 'Request booking' }).click();
  await expect(page.getByText('Your request was sent')).toBeVisible();
  await world.mailTo('petra@example.net', /requested/i);
  expect(await world.events()).toEqual([]);

  const host = await (await browser.newContext({ locale: 'en-GB' })).newPage();
  await signIn(host, world, demo);
  await host.goto(`${world.cupo}/dashboard/appointments?filter=pending`);
  const request = await host.locator('main a[href^="/dashboard/appointments/"]').first().getAttribute('href');
  await host.goto(`${world.cupo}${request}`);
  await expect(host.getByText('A birthday')).toBeVisible();
  await host.getByRole('button', { name: 'Confirm the appointment' }).click();
  await expect(host.getByText('The appointment is confirmed, and the visitor is told.')).toBeVisible();
  await expect.poll(async () => (await world.events()).length).toBe(1);
  await world.mailTo('petra@example.net', /confirmed/i);
});

test('a visitor chooses a length, a person and one of several seats', async ({ page, world }) => {
  await world.seed();
  await page.goto(`${world.site}/?event=demo/coaching`);
  await openWholeDay(page);
  const short = await starts(page);
  await page.getByRole('radio', { name: '1 h', exact: true }).click();
  await expect(page.getByRole('radio', { name: '1 h', exact: true })).toBeChecked();
  await expect(async () => expect(await starts(page)).not.toEqual(short)).toPass();
  const [start] = await starts(page);
  await page.locator(`button[data-start="${start}"]`).click();
  await fillDetails(page, 'Lena Long', 'lena@example.net');
  await page.getByRole('button', { name: 'Confirm booking' }).click();
  await expect(page.getByText('Your appointment is confirmed')).toBeVisible();
  await expect.poll(async () => (await world.events()).length).toBe(1);
  const [event] = await world.events();
  expect(Date.parse(event.end.dateTime) - Date.parse(event.start.dateTime)).toBe(60 * 60_000);

  await page.goto(`${world.site}/?event=demo/visit`);
  await openWholeDay(page);
  const asked = page.waitForResponse((answer) => /\/slots\?.*host=/.test(answer.url()));
  const choice = page.getByLabel('With whom');
  await choice.selectOption({ index: 2 });
  const { slots: ofOne } = (await (await asked).json()) as { slots: string[] };
  await expect(async () => {
    const shown = await starts(page);
    expect(shown.length).toBeGreaterThan(0);
    for (const start of shown) expect(ofOne.map(minute)).toContain(minute(start));
  }).toPass();

  await page.goto(`${world.site}/?event=demo/class`);
  await openWholeDay(page);
  const place = slots(page).first();
  await expect(place).toContainText('8 seats left');
  await place.click();
  await fillDetails(page, 'Sara Seat', 'sara@example.net');
  await page.getByRole('button', { name: 'Confirm booking' }).click();
  await expect(page.getByText('Your appointment is confirmed')).toBeVisible();
  await page.goto(`${world.site}/?event=demo/class`);
  await openWholeDay(page);
  await expect(slots(page).first()).toContainText('7 seats left');
});

test('a series shows which dates are free and books those', async ({ page, world }) => {
  await world.seed();
  await page.goto(`${world.site}/?event=demo/lesson`);
  const [first] = await openWholeDay(page);
  // Somebody has the same time two weeks later.
  const later = new Date(Date.parse(first) + 14 * 86_400_000).toISOString();
  const taken = await fetch(`${world.cupo}/embed/v1/appointments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'somebody', origin: world.site },
    body: JSON.stringify({ org: 'demo', event: 'lesson', start: later, name: 'Somebody', email: 'somebody@example.net', time_zone: 'UTC' }),
  });
  expect(taken.status, await taken.text()).toBe(201);
  await page.locator(`button[data-start="${first}"]`).click();
  await fillDetails(page, 'Wanda Weekly', 'wanda@example.net');
  await page.getByLabel('Repeat').selectOption({ label: 'Every week' });
  await page.getByLabel('Dates', { exact: true }).selectOption('4');
  await expect(page.getByText('This time is taken. Please choose another one.')).toBeVisible();
  await page.getByLabel('Book only the free dates').check();
  await page.getByRole('button', { name: 'Confirm booking' }).click();
  await expect(page.getByText('Your appointment is confirmed')).toBeVisible();
  await expect(page.getByText('The other dates')).toBeVisible();
  const mail = await world.mailTo('wanda@example.net', /confirmed/i);
  expect(mail.text).toContain('Further dates');

  // The visitor's page knows the others, and cancels this one and those that follow.
  const manage = await page.getByRole('link', { name: /page of your appointment/i }).first().getAttribute('href');
  await page.goto(manage ?? '');
  await page.getByText('Cancel the appointment').first().click();
  await page.getByRole('radio', { name: /dates after it/ }).check();
  await page.getByRole('button', { name: 'Cancel it now' }).click();
  await expect(page.getByText('It is cancelled')).toBeVisible();
  const cancelled = await world.mailTo('wanda@example.net', /cancelled/i);
  expect(cancelled.text.match(/Further dates/g)).toHaveLength(1);
});

test('a host sees why a time is not offered, and what a change would bring', async ({ page, world }) => {
  const demo = await world.seed();
  await signIn(page, world, demo);
  const eventType = await eventTypePage(page, world, 'Introduction');
  await page.goto(`${world.site}/?event=${demo.event}`);
  const offered = await openWholeDay(page);
  const day = offered[0].slice(0, 10);
  await world.addEvent('ana@example.com', offered[1], 30);

  // The event that Google tells of is named, with its title for its owner.
  await expect(async () => {
    await page.goto(`${world.cupo}${eventType}/why?date=${day}`);
    await expect(page.locator('.chart')).toBeVisible();
    await expect(page.getByText('Dentist').first()).toBeAttached({ timeout: 1000 });
  }).toPass({ timeout: 20_000 });
  const slider = page.getByLabel('Moment of the day');
  const sentence = await slider.getAttribute('aria-valuetext');
  expect(sentence).toMatch(/slot starts/i);
  await slider.focus();
  for (let step = 0; step < 8; step += 1) await page.keyboard.press('ArrowRight');
  await expect(slider).not.toHaveAttribute('aria-valuetext', sentence ?? '');
  await page.goto(`${world.cupo}${eventType}/why?date=${day}&at=03:10`);
  await expect(page.locator('#explained')).toContainText('outside the hours');

  // A dry run writes nothing.
  await page.goto(`${world.cupo}/dashboard/availability`);
  const schedule = await page.locator('section[aria-labelledby="schedules"] h3 a').first().getAttribute('href');
  await page.goto(`${world.cupo}${schedule}`);
  const monday = page.getByRole('group', { name: 'Monday' });
  const from = monday.locator('.rows').getByLabel('Monday, from').first();
  const hours = await from.inputValue();
  await from.fill('11:00');
  await page.getByRole('button', { name: 'Check what changes' }).click();
  await expect(page.getByText('slots would no longer be offered').first()).toBeVisible();
  await expect(page.getByText('Nothing is saved yet.')).toBeVisible();
  await page.reload();
  await expect(from).toHaveValue(hours);
});

test('without JavaScript a visitor answers questions and books a series', async ({ browser, world }) => {
  await world.seed();
  const page = await (await browser.newContext({ locale: 'en-GB', javaScriptEnabled: false })).newPage();
  const choose = async (event: string) => {
    await page.goto(`${world.cupo}/demo/${event}`);
    if ((await page.locator('a[href*="day="]').count()) === 0) await page.getByRole('link', { name: 'Next month' }).click();
    await page.locator('a[href*="day="]').first().click();
    await page.locator('a[href*="slot="]').first().click();
    await page.getByLabel(/^name/i).fill('Nora Noscript');
    await page.getByLabel(/^e-mail/i).fill('nora@example.net');
  };
  await choose('portrait');
  // Spaces pass the browser's own check, not the server's; what was filled in besides stays.
  await page.getByLabel(/What is the portrait for/).fill('   ');
  await page.getByLabel('Large').check();
  await page.getByLabel(/How many people/).fill('2');
  await page.getByLabel(/I agree/).check();
  await page.getByRole('button', { name: /request/i }).click();
  await expect(page.getByText('Please fill this in.').first()).toBeVisible();
  await expect(page.getByLabel('Large')).toBeChecked();
  await page.getByLabel(/What is the portrait for/).fill('A wedding');
  await page.getByRole('button', { name: /request/i }).click();
  await world.mailTo('nora@example.net', /requested/i);

  await choose('lesson');
  await page.getByLabel('How often').selectOption('weekly');
  await page.getByLabel('Number of dates').fill('3');
  await page.getByRole('button', { name: 'Book the appointment' }).click();
  await expect(page.getByText('All 3 dates are free.')).toBeVisible();
  await page.getByRole('button', { name: 'Book all 3 dates' }).click();
  await expect(page.getByText('It is booked')).toBeVisible();
  await world.mailTo('nora@example.net', /confirmed.*drawing/i);

});
