// The widget on pages that were not made for it.

import type { Page } from '@playwright/test';
import { book, fillDetails, freeDays, minute, openFreeDay, slots } from './widget';
import { expect, test } from './world';

test.beforeEach(async ({ world }) => {
  await world.seed();
});

/** The style of the widget's parts, as the browser computes it. */
const look = (page: Page) =>
  freeDays(page)
    .first()
    .evaluate((button) => {
      const style = getComputedStyle(button);
      return { font: style.fontFamily, size: style.fontSize, color: style.color, display: style.display };
    });

test('a page with hostile CSS neither changes the looks of the widget nor keeps anybody from booking', async ({ page, world }) => {
  await page.goto(`${world.site}/`);
  await expect(freeDays(page).first()).toBeVisible();
  const untouched = await look(page);
  await page.goto(`${world.site}/hostile`);
  await expect(freeDays(page).first()).toBeVisible();
  expect(await look(page)).toEqual(untouched);
  const start = await book(page, 'Hugo Hostile', 'hugo@example.net');
  await expect.poll(async () => (await world.events()).map((event) => minute(event.start.dateTime))).toContain(minute(start));
});

test('two widgets on a page show their own event types and do not disturb each other', async ({ page, world }) => {
  await page.goto(`${world.site}/two?a=demo/intro&b=demo/consult`);
  const [first, second] = [page.locator('#a'), page.locator('#b')];
  const [intro, consult] = await Promise.all([first, second].map((place) => place.getByRole('heading').first().textContent()));
  expect(intro).not.toBe(consult);
  await openFreeDay(first);
  await slots(first).first().click();
  await fillDetails(first, 'Tina Two', 'tina@example.net');
  await openFreeDay(second);
  await expect(first.getByLabel(/^name/i)).toHaveValue('Tina Two');
  await first.getByRole('button', { name: /confirm booking/i }).click();
  await expect(first.getByText(/your appointment is confirmed/i)).toBeVisible();
  await expect(slots(second).first()).toBeVisible();
});

test('the script tag alone shows the widget', async ({ page, world }) => {
  await page.goto(`${world.site}/tag`);
  await expect(freeDays(page).first()).toBeVisible();
});

test('where the policy of the page forbids WebAssembly, a frame of the public page takes bookings', async ({ page, world }) => {
  await page.goto(`${world.site}/csp`);
  const frame = page.frameLocator('cupo-booking iframe');
  await frame.locator('a[href*="day="]').first().click();
  await frame.locator('a[href*="slot="]').first().click();
  await fillDetails(frame, 'Carla Csp', 'carla@example.net');
  await frame.getByRole('button', { name: 'Book the appointment' }).click();
  await expect(frame.getByText('It is booked')).toBeVisible();
  // The frame shows the link by itself once it is there.
  await expect(frame.getByRole('link', { name: /meet\.google\.com/ })).toBeVisible();
  await expect.poll(async () => (await world.events()).flatMap((event) => event.attendees ?? [])).toContainEqual(expect.objectContaining({ email: 'carla@example.net' }));
});

test('the widget speaks the language of the page', async ({ page, world }) => {
  await page.goto(`${world.site}/es`);
  await openFreeDay(page);
  await slots(page).first().click();
  await expect(page.getByLabel(/^nombre/i)).toBeVisible();
  await fillDetails(page, 'Elena España', 'elena@example.net');
  await page.getByRole('button', { name: /confirmar/i }).click();
  await world.mailTo('elena@example.net', /confirmada|reserva/i);
});

test('a slot that somebody else took before it was picked leads back to fresh slots', async ({ page, browser, world }) => {
  await page.goto(`${world.site}/`);
  const [start] = await openFreeDay(page);
  const other = await browser.newPage();
  await other.goto(`${world.site}/`);
  await book(other, 'Quentin Quick', 'quentin@example.net', start);
  await other.close();
  await page.locator(`button[data-start="${start}"]`).click();
  await expect(page.getByText(/someone was a moment quicker/i).first()).toBeVisible();
  await expect(page.locator(`button[data-start="${start}"]`)).toHaveCount(0);
});

test('a slot that the calendar took while the form was filled in leads back to fresh slots, and nothing typed is lost', async ({ page, world }) => {
  await page.goto(`${world.site}/`);
  const [start] = await openFreeDay(page);
  await page.locator(`button[data-start="${start}"]`).click();
  await fillDetails(page, 'Sofia Slow', 'sofia@example.net');
  await world.addEvent('ana@example.com', start, 30);
  await page.getByRole('button', { name: /confirm booking/i }).click();
  await expect(page.getByText(/someone was a moment quicker/i).first()).toBeVisible();
  await expect(page.locator(`button[data-start="${start}"]`)).toHaveCount(0);
  await slots(page).first().click();
  await expect(page.getByLabel(/^name/i)).toHaveValue('Sofia Slow');
  await expect(page.getByLabel(/^e-mail/i)).toHaveValue('sofia@example.net');
  await page.getByRole('button', { name: /confirm booking/i }).click();
  await expect(page.getByText(/your appointment is confirmed/i)).toBeVisible();
});

test('the keyboard alone books', async ({ page, world }) => {
  await page.goto(`${world.site}/`);
  const days = freeDays(page);
  await expect(days.first()).toBeVisible();
  await days.first().focus();
  const day = await days.first().getAttribute('data-day');
  // The day after may lie in the next month, which is drawn before its day gets the focus.
  await page.keyboard.press('ArrowRight');
  await expect(page.locator(`button[data-day]:focus:not([data-day="${day}"])`)).toHaveCount(1);
  await page.keyboard.press('ArrowLeft');
  await expect(page.locator(`button[data-day="${day}"]`)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(slots(page).first()).toBeVisible();
  await slots(page).first().focus();
  await page.keyboard.press('Enter');
  await expect(page.getByLabel(/^name/i)).toBeVisible();
  await page.getByLabel(/^name/i).focus();
  await page.keyboard.type('Kai Keyboard');
  await page.keyboard.press('Tab');
  await page.keyboard.type('kai@example.net');
  await page.keyboard.press('Enter');
  await expect(page.getByText(/your appointment is confirmed/i)).toBeVisible();
});
