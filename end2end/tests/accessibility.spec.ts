// axe-core finds nothing at all in the widget and nothing serious on any page that people see; what a screen reader is told, and
// what the keyboard alone reaches.

import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { focused, FREE, halfHours, stage } from './stage';
import { book, fillDetails, openFreeDay, slots } from './widget';
import { expect, test } from './world';

/** No finding of any kind within the widget; the page around it is somebody else's. */
async function expectNothing(page: Page, what: string) {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const { violations } = await new AxeBuilder({ page }).include('cupo-booking').analyze();
  expect(violations.map(({ id, nodes }) => ({ what, id, nodes: nodes.map(({ html, failureSummary }) => [html, failureSummary]) }))).toEqual([]);
}

async function expectNothingSerious(page: Page, what: string) {
  await expect(page).toHaveTitle(/./);
  // What is still fading in has not its own contrast yet.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(serious.map(({ id, nodes }) => ({ what, id, nodes: nodes.map(({ html, failureSummary }) => [html, failureSummary]) }))).toEqual([]);
}

test('the widget is accessible at each step', async ({ page, world }) => {
  await world.seed();
  for (const [path, width] of [['/', 1180], ['/es', 390]] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(world.site + path);
    await openFreeDay(page);
    await expectNothing(page, `${path} slots`);
    await slots(page).first().click();
    await page.getByRole('button', { name: /confirm/i }).click();
    await expectNothing(page, `${path} details with problems`);
    await fillDetails(page, 'Axel Access', 'axel@example.net');
    await page.getByRole('button', { name: /confirm/i }).click();
    await expect(page.getByRole('heading', { name: /confirm/i })).toBeVisible();
    await expectNothing(page, `${path} confirmation`);
  }
});

test('the first step is accessible in every view and state, at every size, light, dark and in forced colours', async ({ page, world }) => {
  await world.seed();
  const event = { durations: [30, 60], hosts: [{ id: 'u1', name: 'Ana' }] };
  for (const [lang, width, colorScheme] of [['en', 1180, 'light'], ['ar', 320, 'dark'], ['es', 768, 'dark']] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await stage(page, world, { lang, event, seats: 2 });
    for (const view of ['week', 'list', 'month']) {
      await page.locator(`input[value=${view}]`).check();
      await expectNothing(page, `${lang} ${view}`);
      await page.emulateMedia({ forcedColors: 'active' });
      await expectNothing(page, `${lang} ${view} in forced colours`);
      await page.emulateMedia({ forcedColors: 'none' });
    }
    await page.locator('[data-press=zones]').click();
    // A few stand for the hundreds, which axe-core takes minutes for.
    await page.locator('.zones input').fill('ma');
    await expect(page.getByRole('option').first()).toBeAttached();
    await expectNothing(page, `${lang} zones`);
    await page.locator('.zones input').fill('atlantis');
    await expectNothing(page, `${lang} no zone`);
    await page.unrouteAll();

    await stage(page, world, { lang, slots: [] });
    await expect(page.locator('.hint')).toBeVisible();
    await expectNothing(page, `${lang} no times`);
    await page.route('**/embed/v1/slots*', (route) => route.abort());
    for (let months = 0; months < 2; months += 1) await page.locator('[data-press=later]').click();
    await expect(page.locator('[data-press=retry]')).toBeVisible();
    await expectNothing(page, `${lang} times that could not be loaded`);
    await page.unrouteAll();
  }
});

test('what a screen reader is told of the first step', async ({ page, world }) => {
  await world.seed();
  await stage(page, world, { slots: halfHours(FREE, 2) });
  const widget = page.locator('cupo-booking');
  await expect(widget).toMatchAriaSnapshot(`
    - heading [level=2]
    - 'button "Next free time: Tuesday 16 February, 9:00"'
    - radiogroup "View":
      - radio "Month" [checked]
      - radio "Week"
      - radio "List"
    - heading "February 2027" [level=3]
    - button "Previous month" [disabled]
    - button "Next month"
    - grid "February 2027":
      - row:
        - columnheader "Monday"
        - columnheader "Tuesday"
        - columnheader "Wednesday"
        - columnheader "Thursday"
        - columnheader "Friday"
        - columnheader "Saturday"
        - columnheader "Sunday"
      - row:
        - gridcell "Monday 1 February":
          - button "Monday 1 February" [disabled]
      - row
      - row:
        - gridcell "Monday 15 February"
        - gridcell "Tuesday 16 February" [selected]:
          - button "Tuesday 16 February"
      - row
    - heading "Tuesday 16 February" [level=3]
    - group "Tuesday 16 February":
      - button "9:00"
      - button "9:30"
    - button "Time zone Madrid GMT+1"
    - status
  `);
  await page.getByRole('button', { name: /^Time zone/ }).click();
  await page.locator('.zones input').fill('lisbon');
  await expect(page.locator('.zone')).toMatchAriaSnapshot(`
    - button "Time zone Madrid GMT+1" [expanded]
    - combobox "Search for a city" [expanded]
    - listbox "Time zone":
      - option "Lisbon 12:00 · GMT+0" [selected]
  `);
});

test('the keyboard alone gets through the first step, in the order of what is seen', async ({ page, world }) => {
  await world.seed();
  await stage(page, world, { body: (widget) => `<a href="#before">Before</a>${widget}` });
  await expect(slots(page).first()).toBeVisible();
  await page.getByRole('link', { name: 'Before' }).focus();
  const order: string[] = [];
  for (let step = 0; step < 7; step += 1) {
    await page.keyboard.press('Tab');
    order.push(await focused(page));
  }
  expect(order).toEqual(['soonest', 'view', 'earlier', 'later', '2027-02-16', '2027-02-16T08:00:00Z', '2027-02-16T08:30:00Z']);
  // Each shows that it has the focus.
  await page.keyboard.press('Shift+Tab');
  const outline = await slots(page).first().evaluate((slot) => getComputedStyle(slot).outlineWidth);
  expect(outline).toBe('2px');
  await page.keyboard.press('Shift+Tab');
  for (const expected of ['2027-02-17', '2027-02-18']) {
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => focused(page)).toBe(expected);
  }
  for (const key of ['Enter', 'Tab', 'Tab', 'Enter']) await page.keyboard.press(key);
  await expect(page.getByText('Thursday 18 February, 9:30')).toBeVisible();
  await expect.poll(() => focused(page)).toBe('H3');
});

test('at 400 % zoom everything is there without scrolling sideways', async ({ page, world }) => {
  await world.seed();
  // What 1280 by 1024 pixels are at 400 %.
  await page.setViewportSize({ width: 320, height: 256 });
  await stage(page, world, { event: { durations: [30, 60] } });
  for (const view of ['week', 'list', 'month']) {
    await page.locator(`input[value=${view}]`).check();
    await expect(slots(page).first()).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
  }
  await slots(page).first().click();
  await fillDetails(page, 'Zoë Zoom', 'zoe@example.net');
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
});

test('in forced colours what is chosen, free and possible can still be told apart', async ({ page, world }) => {
  await world.seed();
  await page.emulateMedia({ forcedColors: 'active' });
  await stage(page, world, { event: { durations: [30, 60] } });
  const style = (selector: string) =>
    page.locator(selector).first().evaluate((element) => {
      const { backgroundColor, borderTopWidth, color } = getComputedStyle(element);
      return { backgroundColor, borderTopWidth, color };
    });
  const [chosen, free, full] = [await style('[aria-selected=true] .day'), await style('[data-day="2027-02-18"]'), await style('[data-day="2027-02-17"]')];
  expect(chosen.backgroundColor).not.toBe(free.backgroundColor);
  expect([free.borderTopWidth, full.borderTopWidth]).toEqual(['1px', '0px']);
  expect(full.color).not.toBe(free.color);
  for (const choice of ['.lengths', '.switch']) {
    const [made, other] = [await style(`${choice} :checked + span`), await style(`${choice} input:not(:checked) + span`)];
    expect(made.backgroundColor, choice).not.toBe(other.backgroundColor);
  }
});

test('the public pages are accessible', async ({ browser, world }) => {
  await world.seed();
  for (const locale of ['en-GB', 'es-ES']) {
    const context = await browser.newContext({ locale, javaScriptEnabled: true, viewport: { width: 390, height: 844 } });
    const page = await context.newPage();
    await page.goto(`${world.cupo}/demo/intro`);
    await openFreeDay(page);
    await expectNothingSerious(page, `${locale} public page`);
    await book(page, 'Axel Access', `axel-${locale}@example.net`);
    const href = await page.locator('a[href*="/manage/"]').first().getAttribute('href');
    await page.goto(href ?? '');
    await expectNothingSerious(page, `${locale} manage page`);
    await page.goto(`${world.cupo}/demo/nothing-here`);
    await expectNothingSerious(page, `${locale} not found`);
    await context.close();
  }
});

test('the public pages are accessible without the widget', async ({ browser, world }) => {
  await world.seed();
  for (const [locale, width] of [['en-GB', 390], ['es-ES', 1180]] as const) {
    const context = await browser.newContext({ locale, viewport: { width, height: 900 } });
    const page = await context.newPage();
    await page.route('**/embed.js', (route) => route.abort());
    const pick = async (event: string) => {
      await page.goto(`${world.cupo}/demo/${event}`);
      if ((await page.locator('a[href*="day="]').count()) === 0) await page.locator('a.turn').last().click();
      await page.locator('a[href*="day="]').last().click();
      await expectNothingSerious(page, `${locale} ${event} times`);
      await page.locator('a[href*="slot="]').last().click();
    };
    const send = () => page.locator('form#details button[type=submit]').click();
    await page.goto(`${world.cupo}/demo`);
    await expectNothingSerious(page, `${locale} list`);
    for (const event of ['coaching', 'visit', 'class']) await pick(event);

    await pick('portrait');
    await page.locator('form#details').evaluate((form: HTMLFormElement) => (form.noValidate = true));
    await send();
    await expectNothingSerious(page, `${locale} questions with problems`);

    await pick('lesson');
    await page.locator('#name').fill('Axel Access');
    await page.locator('#email').fill(`axel-${locale}@example.net`);
    await page.locator('#frequency').selectOption('weekly');
    await send();
    await expectNothingSerious(page, `${locale} dates of a series`);
    await send();
    await expectNothingSerious(page, `${locale} booked series`);
    await page.locator('a[href*="step=cancel"]').click();
    await expectNothingSerious(page, `${locale} cancelling`);
    await page.goBack();
    await page.locator('a[href*="step=reschedule"]').click();
    await page.locator('a[href*="slot="]').first().click();
    await expectNothingSerious(page, `${locale} rescheduling`);
    await context.close();
  }
});

test('every page of the dashboard is accessible', async ({ browser, world }) => {
  const demo = await world.seed();
  for (const [locale, width] of [['en-GB', 1280], ['es-ES', 390]] as const) {
    const context = await browser.newContext({ locale, viewport: { width, height: 900 } });
    const page = await context.newPage();
    await page.goto(world.site);
    await book(page, 'Axel Access', `axel-${locale}@example.net`);
    for (const path of ['/', '/sign-up', '/sign-in', '/docs', '/docs/registering-microsoft']) {
      await page.goto(world.cupo + path);
      await expectNothingSerious(page, `${locale} ${path}`);
    }
    await page.goto(`${world.cupo}/sign-in`);
    await page.locator('#email').fill(demo.email);
    await page.locator('#password').fill(demo.password);
    await page.locator('main form button[type=submit]').click();
    await expect(page).toHaveURL(/\/dashboard$/);
    await page.goto(`${world.cupo}/dashboard/event-types`);
    const eventType = await page.locator('main a[href^="/dashboard/event-types/"]:not([href$="/new"])').first().getAttribute('href');
    await page.goto(`${world.cupo}/dashboard/appointments`);
    const appointment = await page.locator('main a[href^="/dashboard/appointments/"]').first().getAttribute('href');
    await page.goto(`${world.cupo}/dashboard/availability`);
    const schedule = await page.locator('section[aria-labelledby="schedules"] h3 a').first().getAttribute('href');
    const connecting = ['', '/nextcloud', '/icloud', '/fastmail', '/caldav', '/feed'].map((name) => `/calendars/connect${name}`);
    const pages = ['', '/calendars', ...connecting, '/credentials', '/availability', '/availability/new', '/event-types', '/event-types/new', '/appointments', '/appointments?filter=past', '/appointments?filter=cancelled', '/sites', '/hosts'];
    const looks = [`${eventType}/why`, `${eventType}/why?at=10:00&show=day`, `${eventType}/clock-change`];
    for (const path of [...pages.map((name) => `/dashboard${name}`), schedule, eventType, ...looks, appointment]) {
      await page.goto(world.cupo + path);
      await expect(page.locator('h1')).toBeVisible();
      await expectNothingSerious(page, `${locale} ${path}`);
    }
    await context.close();
  }
});
