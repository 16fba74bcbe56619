// Each way to put the calendar on a page, and what the page can ask of it and hears from it.

import type { Page } from '@playwright/test';
import { hearEvents, openSite, script, told } from './site';
import { book, fillDetails, freeDays, openFreeDay, slots } from './widget';
import { expect, test } from './world';

test.beforeEach(async ({ page, world }) => {
  await world.seed();
  await hearEvents(page);
});

const dialog = (page: Page) => page.getByRole('dialog');
const LONG = '<p style="height:3000px">A long page</p>';

test('a popup opens from a link, holds the focus, and gives everything back when it closes', async ({ page, world }) => {
  const link = `<a id="open" href="${world.cupo}/demo/intro" data-cupo-popup="demo/intro">Book</a>`;
  await openSite(page, world, `${LONG}<p>${link}</p>${LONG}<button>Behind</button>${script(world)}`);
  await page.waitForFunction(() => 'Cupo' in window);
  await page.locator('#open').scrollIntoViewIfNeeded();
  const before = await page.evaluate(() => ({ top: scrollY, width: document.documentElement.clientWidth }));
  await page.locator('#open').click();
  await expect(dialog(page)).toBeVisible();
  await expect(dialog(page)).toHaveAttribute('aria-label', 'Book an appointment');
  await expect(freeDays(dialog(page)).first()).toBeVisible();

  // Modal: the page behind is inert and stays where it is.
  expect(await dialog(page).evaluate((it) => it.matches(':modal'))).toBe(true);
  await page.mouse.wheel(0, 900);
  await page.waitForTimeout(200);
  expect(await page.evaluate(() => scrollY)).toBe(before.top);
  for (let press = 0; press < 60; press += 1) {
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent === 'Behind')).toBe(false);
  }

  await page.keyboard.press('Escape');
  await expect(dialog(page)).toHaveCount(0);
  await expect(page.locator('#open')).toBeFocused();
  expect(await page.evaluate(() => ({ top: scrollY, width: document.documentElement.clientWidth }))).toEqual(before);
  expect(await page.evaluate(() => document.documentElement.style.overflow)).toBe('');

  // Again, closed by its button and by a press beside it.
  await page.locator('#open').click();
  await page.getByRole('button', { name: 'Close' }).click();
  await expect(dialog(page)).toHaveCount(0);
  await expect(page.locator('#open')).toBeFocused();
  await page.locator('#open').click();
  await expect(dialog(page)).toBeVisible();
  await page.mouse.click(4, 300);
  await expect(dialog(page)).toHaveCount(0);
});

test('a popup books, tells the page, and shows what was booked until it is closed', async ({ page, world }) => {
  await openSite(page, world, `<button data-cupo-popup="demo/intro">Book</button>${script(world)}`);
  await page.waitForFunction(() => 'Cupo' in window);
  await page.getByRole('button', { name: 'Book' }).click();
  const start = await book(dialog(page), 'Paula Popup', 'paula@example.net');
  const booked = (await told(page)).filter(([name]) => name === 'booked');
  expect(booked).toHaveLength(1);
  expect(booked[0][1]).toMatchObject({ event: 'demo/intro' });
  expect(Date.parse(booked[0][1].start)).toBe(Date.parse(start));
  expect(Object.keys(booked[0][1]).sort()).toEqual(['end', 'event', 'start']);
  await page.keyboard.press('Escape');
  await expect.poll(async () => (await world.events()).length).toBe(1);
});

test('on a phone the popup is the whole screen', async ({ page, world }) => {
  await page.setViewportSize({ width: 375, height: 720 });
  await openSite(page, world, `<button data-cupo-popup="demo/intro">Book</button>${script(world)}`);
  await page.waitForFunction(() => 'Cupo' in window);
  await page.getByRole('button', { name: 'Book' }).click();
  await expect(freeDays(dialog(page)).first()).toBeVisible();
  await expect.poll(async () => dialog(page).boundingBox()).toEqual({ x: 0, y: 0, width: 375, height: 720 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
});

test('the popup takes what its opener asks for', async ({ page, world }) => {
  const opener = '<button data-cupo-popup="demo/intro" data-cupo-lang="es" data-cupo-theme="dark" data-cupo-prefill-name="Petra Prefill">Book</button>';
  await openSite(page, world, opener + script(world));
  await page.waitForFunction(() => 'Cupo' in window);
  await page.getByRole('button', { name: 'Book' }).click();
  await expect(page.getByRole('button', { name: 'Cerrar' })).toBeVisible();
  await expect(dialog(page).locator('.cupo')).toHaveAttribute('data-theme', 'dark');
  await openFreeDay(dialog(page));
  await slots(dialog(page)).first().click();
  await expect(dialog(page).getByLabel(/^nombre/i)).toHaveValue('Petra Prefill');
});

test('what a stranger may have written on an opener becomes no handler and no style', async ({ page, world }) => {
  const gadgets = 'data-cupo-onpointermove="window.ran = true" data-cupo-style="position:fixed" data-cupo-id="taken" data-cupo-slot="x"';
  await openSite(page, world, `<button data-cupo-popup="demo/intro" ${gadgets} data-cupo-lang="es">Book</button>${script(world)}`);
  await page.waitForFunction(() => 'Cupo' in window);
  await page.getByRole('button', { name: 'Book' }).click();
  await expect(freeDays(dialog(page)).first()).toBeVisible();
  await freeDays(dialog(page)).first().hover();
  const names = await page.evaluate(() => {
    const rooms = [...document.body.children].map((it) => it.shadowRoot?.querySelector('cupo-booking')?.getAttributeNames());
    return rooms.find(Boolean);
  });
  expect(names?.sort()).toEqual(['event', 'lang']);
  expect(await page.evaluate(() => 'ran' in window)).toBe(false);
});

test('a press with a modifier follows the link, as any other link', async ({ page, context, world }) => {
  await openSite(page, world, `<a href="${world.cupo}/demo/intro" data-cupo-popup="demo/intro">Book</a>${script(world)}`);
  await page.waitForFunction(() => 'Cupo' in window);
  const [opened] = await Promise.all([context.waitForEvent('page'), page.getByRole('link').click({ modifiers: ['ControlOrMeta'] })]);
  await opened.waitForURL(`${world.cupo}/demo/intro`);
  await expect(dialog(page)).toHaveCount(0);
});

test('the floating button stays in its corner and opens the popup', async ({ page, world }) => {
  await openSite(page, world, LONG, { head: script(world, 'data-floating="demo/intro" data-text="Reserve" data-accent="#ffe14d"') });
  const button = page.getByRole('button', { name: 'Reserve' });
  await expect(button).toBeVisible();
  const corner = async () => {
    const box = await button.boundingBox();
    const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
    return box && { right: Math.round(width - box.x - box.width), bottom: Math.round(height - box.y - box.height), tall: box.height >= 44 };
  };
  const first = await corner();
  expect(first).toMatchObject({ bottom: 24, tall: true });
  await page.mouse.wheel(0, 1500);
  await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(1000);
  expect(await corner()).toEqual(first);
  // Its text can be read on its own color, whichever that is.
  expect(await button.evaluate((it) => getComputedStyle(it).color)).toMatch(/oklch\(0 |rgb\(0, 0, 0\)/);
  await button.click();
  await expect(freeDays(dialog(page)).first()).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(button).toBeFocused();
});

test('where reading begins on the right, the floating button stands on the left and speaks the language', async ({ page, world }) => {
  await openSite(page, world, LONG, { lang: 'ar', head: script(world, 'data-floating="demo/intro"') });
  const button = page.getByRole('button', { name: 'حجز موعد' });
  await expect(button).toBeVisible();
  expect((await button.boundingBox())?.x).toBeLessThan(40);
  await button.click();
  await expect(page.getByRole('dialog')).toHaveAttribute('dir', 'rtl');
  await expect(page.getByRole('button', { name: 'إغلاق' })).toBeVisible();
});

test('a full page is as high as the window and holds the calendar in its middle', async ({ page, world }) => {
  await page.setViewportSize({ width: 1400, height: 1100 });
  await openSite(page, world, `<cupo-booking event="demo/intro" full-page></cupo-booking>${script(world)}`, { head: '<style>body{margin:0}</style>' });
  await expect(freeDays(page).first()).toBeVisible();
  const [frame, card] = await Promise.all(['.cupo', '.card'].map((part) => page.locator(`cupo-booking ${part}`).boundingBox()));
  expect(frame?.height).toBe(1100);
  const [above, below] = [card?.y ?? 0, 1100 - (card?.y ?? 0) - (card?.height ?? 0)];
  expect(Math.abs(above - below)).toBeLessThanOrEqual(1);
  await book(page, 'Fiona Full', 'fiona@example.net');
});

test('the functions of the page open, close and hear; calls from before the script are kept for it', async ({ page, world }) => {
  const early = `<script>
    window.heard = [];
    (window.Cupo ??= []).push((cupo) => { window.end = cupo.on("cupo:ready", (detail, event) => heard.push([event.type, detail])); });
    window.Cupo.push((cupo) => cupo.open("demo/intro", { lang: "fr", prefill: { name: "Olga Open" } }));
  </script>`;
  await openSite(page, world, early + script(world));
  await expect(page.getByRole('button', { name: 'Fermer' })).toBeVisible();
  await expect.poll(() => page.evaluate('heard')).toEqual([['cupo:ready', { event: 'demo/intro' }]]);
  await page.evaluate(() => window.Cupo.close());
  await expect(dialog(page)).toHaveCount(0);
  await page.evaluate(() => (window as unknown as { end: () => void }).end());
  const tag = await page.evaluate(async () => (await window.Cupo.open('demo/consult')).getAttribute('event'));
  expect(tag).toBe('demo/consult');
  await expect(freeDays(dialog(page)).first()).toBeVisible();
  // One at a time.
  await page.evaluate(() => window.Cupo.open('demo/intro').then(() => undefined));
  await expect(dialog(page)).toHaveCount(1);
  expect(await page.evaluate('heard.length')).toBe(1);
});

test('attributes and the page’s address fill in the form beforehand and go along with the booking', async ({ page, world }) => {
  const widget = '<cupo-booking event="demo/intro" prefill-name="Ula Utm" prefill-email="ula@example.net" utm-campaign="spring"></cupo-booking>';
  const sent: { tracking?: Record<string, string> }[] = [];
  page.on('request', (request) => request.url().endsWith('/embed/v1/appointments?lang=en-GB') && sent.push(request.postDataJSON()));
  await openSite(page, world, widget + script(world), { query: '?utm_source=letter&utm_medium=mail&gclid=1' });
  await openFreeDay(page);
  await slots(page).first().click();
  await expect(page.getByLabel(/^name/i)).toHaveValue('Ula Utm');
  await expect(page.getByLabel(/^e-mail/i)).toHaveValue('ula@example.net');
  await page.getByRole('button', { name: /confirm booking/i }).click();
  await expect(page.getByText(/your appointment is confirmed/i)).toBeVisible();
  expect(sent).toHaveLength(1);
  expect(sent[0].tracking).toEqual({ utm_source: 'letter', utm_medium: 'mail', utm_campaign: 'spring' });
});

test('the page hears each step in order, and nothing personal', async ({ page, world }) => {
  await openSite(page, world, `<cupo-booking event="demo/intro"></cupo-booking>${script(world)}`);
  await book(page, 'Eva Event', 'eva@example.net');
  const heard = await told(page);
  const names = heard.map(([name]) => name);
  expect(names.filter((name, index) => name !== names[index - 1])).toEqual(['ready', 'day-selected', 'slot-selected', 'booked']);
  expect(JSON.stringify(heard)).not.toMatch(/eva/i);
  expect(heard.every(([, detail]) => detail.event === 'demo/intro')).toBe(true);
});

test('an event type that is not there is told to the visitor and to the page', async ({ page, world }) => {
  await openSite(page, world, `<cupo-booking event="demo/nothing"></cupo-booking>${script(world)}`, { lang: 'de' });
  await expect(page.getByText('Dieser Kalender ist nicht verfügbar.')).toBeVisible();
  expect(await told(page)).toEqual([['error', { event: 'demo/nothing', code: 'not-found' }]]);
});

test('without a network the visitor is told so with a way on, and the calendar comes with the network', async ({ page, context, world }) => {
  await openSite(page, world, script(world));
  await page.waitForFunction(() => 'Cupo' in window);
  await context.setOffline(true);
  await page.evaluate(() => document.body.append(Object.assign(document.createElement('cupo-booking'), { id: 'late' })));
  await page.evaluate(() => document.querySelector('#late')?.setAttribute('event', 'demo/intro'));
  await expect(page.getByRole('alert')).toContainText('The calendar cannot be shown here.');
  await expect(page.getByRole('link', { name: '/demo/intro' })).toHaveAttribute('href', `${world.cupo}/demo/intro?lang=en`);
  await context.setOffline(false);
  await expect(freeDays(page).first()).toBeVisible();
});
