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

/** Books the first free time of the next four weeks as a page of the site would; the visitor's secret. */
async function booked(world: World): Promise<string> {
  const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  const free = await fetch(`${world.cupo}/embed/v1/slots?org=demo&event=intro&from=${day(1)}&to=${day(28)}`);
  const [start] = ((await free.json()) as { slots: string[] }).slots;
  const answer = await fetch(`${world.cupo}/embed/v1/appointments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': start, origin: world.site },
    body: JSON.stringify({ org: 'demo', event: 'intro', start, name: 'Mara Manage', email: 'mara@example.net', time_zone: 'Europe/Madrid' }),
  });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { token: string }).token;
}

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

  /** Everything but WebAssembly. */
  const withoutWasm = (world: World) => {
    const cupo = origin(world);
    return { 'content-security-policy': `script-src ${cupo} 'unsafe-inline'; connect-src ${cupo}; frame-src ${cupo}` };
  };

  test('the frame is filled in as the calendar is, and what is known of the visitor stands in no address', async ({ page, world }) => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    const attributes = 'prefill-name="Paula Prefill" hidden-size="Large" hidden-people="9" utm-medium="mail"';
    const options = `<script>document.querySelector('cupo-booking').options = new Proxy({ prefill: new Proxy({ email: 'paula@example.net' }, {}) }, {})</script>`;
    const body = `<cupo-booking event="demo/portrait" ${attributes}></cupo-booking>${options}${script(world)}`;
    await openSite(page, world, body, { headers: withoutWasm(world), query: '?utm_source=letter' });
    const frame = page.frameLocator('cupo-booking iframe');
    await frame.locator('a[href*="day="]').first().click();
    await frame.locator('a[href*="slot="]').first().click();
    await expect(frame.getByLabel(/^name/i)).toHaveValue('Paula Prefill');
    await expect(frame.getByLabel(/^e-mail/i)).toHaveValue('paula@example.net');
    await expect(frame.getByText('Which size?')).toBeHidden();
    // What the host does not accept is asked after all.
    await expect(frame.getByLabel(/How many people/)).toHaveValue('9');
    await frame.getByLabel(/How many people/).fill('2');
    await frame.getByLabel(/What is the portrait for/).fill('A birthday');
    await frame.getByRole('checkbox', { name: /I agree/ }).check();
    const posted = page.waitForRequest((request) => request.method() === 'POST');
    await frame.locator('#details button[type=submit]').last().click();
    const sent = new URLSearchParams((await posted).postData() ?? '');
    expect(['name', 'answers.size', 'answers.people', 'tracking.utm_source', 'tracking.utm_medium'].map((name) => sent.getAll(name))).toEqual([
      ['Paula Prefill'],
      ['Large'],
      ['2'],
      ['letter'],
      ['mail'],
    ]);
    await expect(frame.getByText('Your request has been sent')).toBeVisible();
    expect(asked.filter((url) => url.startsWith(world.cupo) && /paula|large|letter|mail/i.test(decodeURIComponent(url)))).toEqual([]);
  });

  test('what a visitor has typed into the frame is not filled in again after a refusal', async ({ page, world }) => {
    const body = `<cupo-booking event="demo/intro" prefill-name="Paula Prefill" prefill-email="paula@example.net" utm-source="letter"></cupo-booking>${script(world)}`;
    await openSite(page, world, body, { headers: withoutWasm(world) });
    const frame = page.frameLocator('cupo-booking iframe');
    await frame.locator('a[href*="day="]').first().click();
    await frame.locator('a[href*="slot="]').first().click();
    await expect(frame.getByLabel(/^name/i)).toHaveValue('Paula Prefill');
    await frame.getByLabel(/^name/i).fill('Nina New');
    // The browser lets it pass, the server does not.
    await frame.getByLabel(/^e-mail/i).fill('nina@localhost');
    const answered = page.waitForResponse((answer) => answer.request().method() === 'POST');
    await frame.getByRole('button', { name: 'Book the appointment' }).click();
    expect((await answered).status()).toBe(422);
    await expect(frame.locator('.field.is-wrong')).toHaveCount(1);
    // By then the page around it has told what it knows once more.
    await expect(frame.locator('input[name="tracking.utm_source"]')).toHaveCount(1);
    await expect(frame.getByLabel(/^name/i)).toHaveValue('Nina New');
    await expect(frame.getByLabel(/^e-mail/i)).toHaveValue('nina@localhost');
  });

  test('where WebAssembly is forbidden an appointment is managed in the frame', async ({ page, world }) => {
    await hearEvents(page);
    const token = await booked(world);
    await openSite(page, world, `<cupo-booking event="demo/intro" manage="${token}"></cupo-booking>${script(world)}`, { headers: withoutWasm(world) });
    const frame = page.frameLocator('cupo-booking iframe');
    await expect(frame.getByRole('heading', { level: 1 })).toHaveText('Your appointment');
    await expect(frame.locator('footer')).toHaveCount(0);
    await frame.getByText('Cancel the appointment').first().click();
    await frame.getByRole('button', { name: 'Cancel it now' }).click();
    await expect(frame.getByText('It is cancelled')).toBeVisible();
    await expect.poll(async () => (await told(page)).map(([name]) => name)).toEqual(['cancelled']);
  });

  test('an image that is named like the script does not bring the code of another host', async ({ page, world }) => {
    const foreign: string[] = [];
    page.on('request', (request) => request.resourceType() !== 'image' && request.url().startsWith('http://127.0.0.1:9/') && foreign.push(request.url()));
    const image = '<img name="currentScript" alt="" src="http://127.0.0.1:9/embed.js">';
    await openSite(page, world, `${image}<cupo-booking event="demo/intro"></cupo-booking>${script(world)}`);
    await expect(freeDays(page).first()).toBeVisible();
    expect(foreign).toEqual([]);
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
    // What leads to another host is left alone.
    const followed = page.evaluate(() => {
      const link = Object.assign(document.createElement('a'), { textContent: 'Elsewhere' });
      link.setAttribute('href', '//elsewhere.example/page');
      link.onclick = (press) => press.preventDefault();
      document.body.append(link);
      link.click();
      return link.getAttribute('href');
    });
    expect(await followed).toBe('//elsewhere.example/page');
    expect(outside).toEqual([]);

    // Without a script the next page tells what was found, by a cookie that is for the dashboard.
    const context = await page.context().browser()?.newContext({ javaScriptEnabled: false });
    const host = await context?.newPage();
    if (!context || !host) throw new Error('no browser');
    await host.goto(`${world.cupo}/sign-in`);
    await host.getByLabel('E-mail').fill(demo.email);
    await host.getByLabel('Password').fill(demo.password);
    await host.getByRole('button', { name: 'Sign in' }).click();
    await host.goto(`${world.cupo}/dashboard/embed`);
    await host.getByLabel('Address of the page').fill('http://127.0.0.1/');
    await host.getByRole('button', { name: 'Check' }).click();
    await expect(host.getByText('The address does not lead to the public internet')).toBeVisible();
    await host.reload();
    await expect(host.getByText('The address does not lead to the public internet')).toHaveCount(0);
    await context.close();
  } finally {
    await world.stop();
  }
});
