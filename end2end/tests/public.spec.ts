// The public page and the visitor's page without a line of JavaScript, and the dashboard before hydration.

import { minute } from './widget';
import { expect, test } from './world';

test.use({ javaScriptEnabled: false });

test('without JavaScript a visitor books, reschedules and cancels', async ({ page, world }) => {
  await world.seed();
  await page.goto(`${world.cupo}/demo/intro`);
  const day = page.locator('a[href*="day="]').first();
  if ((await day.count()) === 0) await page.getByRole('link', { name: 'Next month' }).click();
  await page.locator('a[href*="day="]').first().click();
  await page.locator('a[href*="slot="]').first().click();

  // A wrong address is explained beside its field, and what was typed stays.
  await page.getByLabel(/^name/i).fill('Nora Noscript');
  await page.getByLabel(/^e-mail/i).fill('nora@example');
  await page.getByRole('button', { name: 'Book the appointment' }).click();
  await expect(page.getByText('ana@example.com')).toBeVisible();
  await expect(page.getByLabel(/^name/i)).toHaveValue('Nora Noscript');
  await page.getByLabel(/^e-mail/i).fill('nora@example.net');
  await page.getByRole('button', { name: 'Book the appointment' }).click();
  await expect(page.getByText('It is booked')).toBeVisible();
  await expect.poll(async () => (await world.events()).length).toBe(1);
  const [{ start: before }] = await world.events();

  await page.getByRole('link', { name: 'Reschedule' }).click();
  // Of today few times may be left: the last one of the last day in sight is another one.
  await page.locator('main a[href*="day="]:not([href*="slot="])').last().click();
  await page.locator('main a[href*="slot="]').last().click();
  await page.getByRole('button', { name: 'Move it to this time' }).click();
  await expect(page.getByText('It is rescheduled')).toBeVisible();
  await expect.poll(async () => minute((await world.events())[0].start.dateTime)).not.toBe(minute(before.dateTime));

  await page.getByText('Cancel the appointment').first().click();
  await page.getByRole('button', { name: 'Cancel it now' }).click();
  await expect(page.getByText('It is cancelled')).toBeVisible();
  await expect.poll(async () => world.events()).toEqual([]);
});

test('without JavaScript a host signs in, changes the hours and makes an event type', async ({ page, world }) => {
  const demo = await world.seed();
  await page.goto(`${world.cupo}/sign-in`);
  await page.getByLabel('E-mail').fill(demo.email);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert').filter({ hasText: /./ })).toBeVisible();
  await page.getByLabel('E-mail').fill(demo.email);
  await page.getByLabel('Password').fill(demo.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(/\/dashboard$/);

  await page.goto(`${world.cupo}/dashboard/availability`);
  const schedule = page.locator('section[aria-labelledby="schedules"] h3 a').first();
  await schedule.click();
  const monday = page.getByRole('group', { name: 'Monday' });
  await monday.getByLabel('Monday, from').first().fill('08:30');
  await page.getByRole('button', { name: 'Save' }).click();
  await schedule.click();
  await expect(monday.getByLabel('Monday, from').first()).toHaveValue('08:30');

  await page.goto(`${world.cupo}/dashboard/event-types/new`);
  await page.getByLabel('Title').fill('By telephone');
  await page.locator('#slug').fill('by-telephone');
  await page.getByRole('radio', { name: /Phone/ }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.goto(`${world.cupo}/dashboard/event-types`);
  await expect(page.getByText('By telephone')).toBeVisible();
});
