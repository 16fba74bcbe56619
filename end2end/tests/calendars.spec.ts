// Accounts: how they are connected, tried out and given for a whole organization, with and without a script.

import type { Page } from '@playwright/test';
import { expect, test } from './world';
import type { World } from './world';

async function signIn(page: Page, world: World) {
  const demo = await world.seed();
  await page.goto(`${world.cupo}/sign-in`);
  await page.locator('#email').fill(demo.email);
  await page.locator('#password').fill(demo.password);
  await page.locator('main form button[type=submit]').click();
  await expect(page).toHaveURL(/\/dashboard$/);
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with a script' : 'without a script';

  test(`an account is tried out step by step, ${how}`, async ({ browser, world }) => {
    const context = await browser.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    await signIn(page, world);
    await page.goto(`${world.cupo}/dashboard/calendars`);
    const account = page.locator('section.account').first();
    await expect(account.getByText('read and write events')).toBeVisible();
    await account.getByRole('button', { name: 'Test the connection' }).click();
    const steps = account.locator('.test li');
    await expect(steps.first()).toContainText('Get access');
    await expect(steps.first()).toContainText(/Works.*\d+ ms/s);
    await expect(account.getByText('See busy times').first()).toBeVisible();
    await account.getByRole('button', { name: 'Look for new calendars' }).click();
    await expect(page.getByText('The list of calendars is up to date.')).toBeVisible();
    // What was told once is not told again.
    await page.reload();
    await expect(page.locator('.test')).toHaveCount(0);
    await context.close();
  });

  test(`a refused CalDAV account keeps what was typed but the password, ${how}`, async ({ browser, world }) => {
    const context = await browser.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    await signIn(page, world);
    await page.goto(`${world.cupo}/dashboard/calendars/connect`);
    await page.getByRole('link', { name: 'Other CalDAV server' }).click();
    await page.getByLabel('Address of the server').fill('https://127.0.0.1:1/');
    await page.getByLabel('User name').fill('ana');
    await page.locator('#password').fill('a secret of mine');
    await page.getByRole('button', { name: 'Connect' }).click();
    await expect(page.locator('#server-problem')).toBeVisible();
    await expect(page.getByLabel('User name')).toHaveValue('ana');
    expect(page.url()).not.toContain('secret');
    expect(decodeURIComponent(page.url())).not.toContain('secret');
    if (!javaScriptEnabled) await expect(page.locator('#password')).toHaveValue('');
    await context.close();
  });

  test(`a key that is none is refused beside its field, ${how}`, async ({ browser, world }) => {
    const context = await browser.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    await signIn(page, world);
    await page.goto(`${world.cupo}/dashboard/calendars`);
    await page.getByRole('link', { name: 'Manage access' }).click();
    await expect(page.getByRole('heading', { name: 'Access for the whole organization' })).toBeVisible();
    await page.locator('#service-account > summary').click();
    await page.locator('#key_json').fill('{ "type": "something else" }');
    await page.locator('#service-account').getByRole('button', { name: 'Add it' }).click();
    await expect(page.locator('#key_json-problem')).toBeVisible();
    expect(decodeURIComponent(page.url())).not.toContain('something else');
    await context.close();
  });
}

test('what the operator has not set up is said, with the way to the guide', async ({ page, world }) => {
  await signIn(page, world);
  await page.goto(`${world.cupo}/dashboard/calendars/connect`);
  const microsoft = page.locator('.service-card', { hasText: 'Microsoft 365' });
  await expect(microsoft.getByText('Microsoft is not set up on this server.')).toBeVisible();
  await microsoft.getByRole('link', { name: 'How to do it' }).click();
  await expect(page.getByRole('heading', { name: 'Registering at Microsoft' })).toBeVisible();
});

test('an event type warns of a meeting that its calendar cannot make', async ({ page, world }) => {
  await signIn(page, world);
  await page.goto(`${world.cupo}/dashboard/event-types/new`);
  const warning = page.locator('.for-teams');
  await expect(warning).toBeHidden();
  await page.getByRole('radio', { name: /Microsoft Teams/ }).check();
  await expect(warning).toContainText('Microsoft Teams links are made by the calendar');
});

test('the calendars pages fit a narrow screen', async ({ page, world }) => {
  await signIn(page, world);
  await page.setViewportSize({ width: 360, height: 740 });
  for (const path of ['', '/connect', '/connect/nextcloud', '/connect/feed']) {
    await page.goto(`${world.cupo}/dashboard/calendars${path}`);
    await expect(page.locator('h1')).toBeVisible();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, path).toBe(0);
  }
});
