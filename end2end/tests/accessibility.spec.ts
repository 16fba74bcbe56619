// axe-core finds nothing serious on any page that people see, in both languages and at the width of a phone.

import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { book, fillDetails, openFreeDay, slots } from './widget';
import { expect, test } from './world';

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
    await expectNothingSerious(page, `${path} slots`);
    await slots(page).first().click();
    await page.getByRole('button', { name: /confirm/i }).click();
    await expectNothingSerious(page, `${path} details with problems`);
    await fillDetails(page, 'Axel Access', 'axel@example.net');
    await page.getByRole('button', { name: /confirm/i }).click();
    await expect(page.getByRole('heading', { name: /confirm/i })).toBeVisible();
    await expectNothingSerious(page, `${path} confirmation`);
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
