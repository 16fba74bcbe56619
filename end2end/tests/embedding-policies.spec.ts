// Pages that allow little: policies, trusted types, no cookies of others; and a Cupo below a path.

import { hearEvents, openSite, script, told } from './site';
import { book, fillDetails, freeDays } from './widget';
import { expect, test, World } from './world';

const origin = (world: World) => new URL(world.cupo).origin;

/** Collects what the page's policy has refused. */
const violations = (page: import('@playwright/test').Page) => {
  const lines: string[] = [];
  page.on('console', (line) => /content security policy|trusted/i.test(line.text()) && lines.push(line.text()));
  return lines;
};

test.describe('with a Cupo of its own', () => {
  test.beforeEach(async ({ world }) => {
    await world.seed();
  });

  test('the documented directives are enough, for the popup and the button too', async ({ page, world }) => {
    const cupo = origin(world);
    const policy = `default-src 'none'; img-src data:; script-src ${cupo} 'wasm-unsafe-eval'; connect-src ${cupo}`;
    const refused = violations(page);
    const body = `<cupo-booking event="demo/intro"></cupo-booking>${script(world, 'data-floating="demo/consult" data-text="Reserve"')}`;
    await openSite(page, world, body, { headers: { 'content-security-policy': policy } });
    await book(page, 'Stella Strict', 'stella@example.net');
    await page.getByRole('button', { name: 'Reserve' }).click();
    await expect(freeDays(page.getByRole('dialog')).first()).toBeVisible();
    expect(refused).toEqual([]);
  });

  test('a nonce on the script tag reaches everything that the script loads', async ({ page, world }) => {
    const policy = `default-src 'none'; img-src data:; script-src 'nonce-r4nd0m' 'wasm-unsafe-eval'; connect-src ${origin(world)}`;
    const refused = violations(page);
    await openSite(page, world, `<cupo-booking event="demo/intro"></cupo-booking><button data-cupo-popup="demo/consult">Book</button>${script(world, 'nonce="r4nd0m"')}`, {
      headers: { 'content-security-policy': policy },
    });
    await expect(freeDays(page).first()).toBeVisible();
    await book(page, 'Nonna Nonce', 'nonna@example.net');
    await page.getByRole('button', { name: 'Book', exact: true }).click();
    await expect(freeDays(page.getByRole('dialog')).first()).toBeVisible();
    expect(refused).toEqual([]);
  });

  test('a page that asks for trusted types keeps the calendar', async ({ page, world }) => {
    const policy = "require-trusted-types-for 'script'; trusted-types 'none'";
    await openSite(page, world, `<cupo-booking event="demo/intro"></cupo-booking>${script(world)}`, { headers: { 'content-security-policy': policy } });
    await book(page, 'Tessa Trusted', 'tessa@example.net');
  });

  test('where WebAssembly is forbidden the frame is as high as its page and passes events on', async ({ page, world }) => {
    const cupo = origin(world);
    await hearEvents(page);
    const policy = `script-src ${cupo} 'unsafe-inline'; connect-src ${cupo}; frame-src ${cupo}`;
    await openSite(page, world, `<cupo-booking event="demo/intro"></cupo-booking>${script(world)}`, { headers: { 'content-security-policy': policy } });
    const frame = page.frameLocator('cupo-booking iframe');
    const height = () => page.locator('cupo-booking iframe').evaluate((it) => it.clientHeight);
    const content = () => frame.locator('html').evaluate((it) => Math.ceil(it.getBoundingClientRect().height));
    await frame.locator('a[href*="day="]').first().click();
    await frame.locator('a[href*="slot="]').first().waitFor();
    await expect.poll(async () => (await height()) - (await content())).toBe(0);
    const picking = await height();
    await frame.locator('a[href*="slot="]').first().click();
    await fillDetails(frame, 'Frieda Frame', 'frieda@example.net');
    await frame.getByRole('button', { name: 'Book the appointment' }).click();
    await expect(frame.getByText('It is booked')).toBeVisible();
    await expect.poll(async () => (await height()) - (await content())).toBe(0);
    expect(await height()).not.toBe(picking);
    await expect.poll(async () => (await told(page)).map(([name]) => name)).toEqual(['ready', 'booked']);
    const [, booked] = (await told(page))[1];
    expect(Object.keys(booked).sort()).toEqual(['end', 'event', 'start']);
    expect(booked.event).toBe('demo/intro');

    // The page is in a frame for its channel alone: a message of the page itself changes nothing.
    const before = await height();
    await page.evaluate(() => window.postMessage({ name: 'height', detail: 9999 }, '*'));
    await page.evaluate(() => window.postMessage({ name: 'booked', detail: {} }, '*'));
    await page.waitForTimeout(300);
    expect(await height()).toBe(before);
    expect(await told(page)).toHaveLength(2);
  });

  test('a site that is not allowed may not frame the page', async ({ page, world }) => {
    const answer = await page.request.get(`${world.cupo}/demo/intro?embed=1`);
    expect(answer.headers()['content-security-policy']).toContain(`frame-ancestors 'self' ${world.site}`);
    const foreign = 'http://127.0.0.1:9';
    await page.route(`${foreign}/*`, (route) =>
      route.fulfill({ contentType: 'text/html', body: `<iframe src="${world.cupo}/demo/intro?embed=1"></iframe>` }),
    );
    const refused = violations(page);
    await page.goto(`${foreign}/`);
    await expect.poll(() => refused.some((line) => line.includes('frame-ancestors'))).toBe(true);
  });

  test('no cookie is used, so that those of third parties can be off', async ({ page, context, world }) => {
    const cookies: string[] = [];
    page.on('request', async (request) => {
      const sent = (await request.allHeaders()).cookie;
      if (request.url().startsWith(world.cupo) && sent) cookies.push(sent);
    });
    // Cookies are kept by host, whatever the port: one of Cupo's own would be sent if anything were.
    await context.addCookies([{ name: 'cupo_session', value: 'x', url: world.cupo, sameSite: 'Lax' }]);
    await openSite(page, world, `<cupo-booking event="demo/intro"></cupo-booking>${script(world, 'crossorigin="anonymous"')}`);
    await book(page, 'Nora Nocookie', 'nocookie@example.net');
    expect(cookies).toEqual([]);
    expect((await context.cookies()).map(({ name }) => name)).toEqual(['cupo_session']);
  });
});

test('below a path, behind a proxy, everything works: calendar, public page, visitor’s page, dashboard', async ({ page }) => {
  const world = await World.start({ below: '/book' });
  try {
    const demo = await world.seed();
    const outside: string[] = [];
    page.on('response', (answer) => answer.url().startsWith(origin(world)) && answer.status() === 404 && outside.push(answer.url()));

    await page.goto(`${world.site}/`);
    await book(page, 'Paco Prefix', 'paco@example.net');
    await expect.poll(async () => (await world.events()).length).toBe(1);

    // The public page step by step, as without a script; then the visitor's own page.
    const plain = await page.context().browser()?.newContext({ javaScriptEnabled: false });
    const visitor = await plain?.newPage();
    if (!visitor) throw new Error('no browser');
    await visitor.goto(`${world.cupo}/demo/intro`);
    await visitor.locator('main a[href*="day="]:not([href*="slot="])').last().click();
    await visitor.locator('main a[href*="slot="]').last().click();
    await fillDetails(visitor, 'Pilar Plain', 'pilar@example.net');
    await visitor.getByRole('button', { name: 'Book the appointment' }).click();
    await expect(visitor.getByText('It is booked')).toBeVisible();
    expect(visitor.url()).toContain(`${world.cupo}/manage/`);
    await visitor.getByText('Cancel the appointment').first().click();
    await visitor.getByRole('button', { name: 'Cancel it now' }).click();
    await expect(visitor.getByText('It is cancelled')).toBeVisible();
    const mail = await world.mailTo('paco@example.net', /./);
    expect(mail.text).toContain(`${world.cupo}/manage/`);
    await plain?.close();

    // The dashboard, with its scripts: within and anew.
    await page.goto(`${world.cupo}/dashboard`);
    await page.getByLabel('E-mail').fill(demo.email);
    await page.getByLabel('Password').fill(demo.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page).toHaveURL(`${world.cupo}/dashboard`);
    await page.getByRole('link', { name: 'Event types' }).first().click();
    await expect(page).toHaveURL(`${world.cupo}/dashboard/event-types`);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Event types');
    await page.getByRole('link', { name: 'Embed' }).first().click();
    await expect(page).toHaveURL(`${world.cupo}/dashboard/embed`);
    await expect(page.locator('#code-text')).toHaveValue(new RegExp(`src="${world.cupo}/embed.js"`));
    await expect(freeDays(page.frameLocator('iframe')).first()).toBeVisible();
    expect(outside).toEqual([]);
  } finally {
    await world.stop();
  }
});
