// First sight: real slots before the widget's code is there, and the code taking over without anything that could be seen.

import type { Page, Route } from '@playwright/test';
import { slots } from './widget';
import { expect, test, type World } from './world';

test.beforeEach(async ({ world }) => {
  await world.seed();
});

/** A page of the site in a language; `more` are attributes of the element. */
async function open(page: Page, world: World, language = 'en-GB', more = '', event = 'demo/intro') {
  const address = `${world.site}/first-sight`;
  await page.route(address, (route) =>
    route.fulfill({
      contentType: 'text/html; charset=utf-8',
      body: `<!doctype html><html lang="${language}"><meta name="viewport" content="width=device-width, initial-scale=1"><title>First sight</title>
        <script async src="${world.cupo}/embed.js"></script><cupo-booking event="${event}" ${more}></cupo-booking>`,
    }),
  );
  await page.addInitScript(() => document.addEventListener('cupo:ready', () => Object.assign(window, { isReady: true })));
  await page.goto(address);
}

/** Keeps the code back until it is let go. */
async function withoutCode(page: Page): Promise<() => Promise<void>> {
  const kept: Route[] = [];
  let isKept = true;
  await page.route('**/*.wasm', async (route) => void (isKept ? kept.push(route) : await route.continue()));
  return async () => {
    isKept = false;
    await Promise.all(kept.map((route) => route.continue()));
  };
}

/** Until the widget can be used. */
const ready = (page: Page) => page.waitForFunction(() => (window as unknown as { isReady?: boolean }).isReady);

test('real slots stand there before the code has arrived, in one request', async ({ page, world }) => {
  const asked: string[] = [];
  page.on('request', (request) => request.url().includes('/embed/v1/') && asked.push(new URL(request.url()).pathname));
  await withoutCode(page);
  const answered = page.waitForResponse((response) => response.url().includes('/embed/v1/first'));
  await open(page, world);
  await expect(slots(page).first()).toBeVisible();
  const { from, to } = (await (await answered).json()) as { from: string; to: string };
  const shown = await slots(page).evaluateAll((buttons) => buttons.map((button) => button.getAttribute('data-start') ?? ''));
  expect(asked).toEqual(['/embed/v1/first']);
  const answer = await fetch(`${world.cupo}/embed/v1/slots?org=demo&event=intro&from=${from}&to=${to}`);
  const offered = ((await answer.json()) as { slots: string[] }).slots;
  expect(shown.length).toBeGreaterThan(0);
  expect(offered).toEqual(expect.arrayContaining(shown));
});

test('a press made before the code has arrived is done when it has', async ({ page, world }) => {
  const letGo = await withoutCode(page);
  await open(page, world);
  const start = await slots(page).last().getAttribute('data-start');
  await slots(page).last().click();
  await expect(page.locator('[data-field]')).toHaveCount(0);
  const held = page.waitForRequest((request) => request.url().endsWith('/embed/v1/holds') || request.url().includes('/embed/v1/holds?'));
  await letGo();
  await expect(page.getByLabel(/^name/i)).toBeVisible();
  expect((await held).postDataJSON().start).toBe(start);
});

test('a length and a time that were chosen before the code has arrived are both meant', async ({ page, world }) => {
  const letGo = await withoutCode(page);
  await open(page, world, 'en-GB', '', 'demo/coaching');
  const start = await slots(page).first().getAttribute('data-start');
  await slots(page).first().click();
  await page.getByRole('radio', { name: '1 h', exact: true }).click();
  const held = page.waitForRequest((request) => request.method() === 'POST' && request.url().includes('/embed/v1/holds'));
  await letGo();
  expect((await held).postDataJSON()).toMatchObject({ start, duration: 60 });
  await expect(page.getByLabel(/^name/i)).toBeVisible();
});

test('a day and a time of it that were pressed before the code has arrived are shown and held', async ({ page, world }) => {
  const letGo = await withoutCode(page);
  await open(page, world, 'en-GB', 'view="week"');
  await expect(slots(page).first()).toBeVisible();
  await page.getByRole('radio', { name: 'List' }).click();
  const start = await slots(page).last().getAttribute('data-start');
  await slots(page).last().click();
  const held = page.waitForRequest((request) => request.method() === 'POST' && request.url().includes('/embed/v1/holds'));
  await letGo();
  expect((await held).postDataJSON().start).toBe(start);
  await page.getByRole('button', { name: 'Back' }).click();
  await expect(page.getByRole('radio', { name: 'List' })).toBeChecked();
  await expect(page.locator('.pick')).toHaveAttribute('data-view', 'list');
});

test('the slots that came along are not asked for again', async ({ page, world }) => {
  const asked: string[] = [];
  page.on('request', (request) => request.url().includes('/embed/v1/') && asked.push(request.url()));
  const letGo = await withoutCode(page);
  const answered = page.waitForResponse((response) => response.url().includes('/embed/v1/first'));
  await open(page, world);
  const { from, to } = (await (await answered).json()) as { from: string; to: string };
  await expect(slots(page).first()).toBeVisible();
  await letGo();
  await ready(page);
  // The neighbour month is fetched beforehand; the months of the first answer are not.
  await page.waitForTimeout(1_000);
  const months = asked.filter((url) => url.includes('/slots?')).map((url) => new URL(url).searchParams.get('from') ?? '');
  expect(months.filter((month) => from <= month && month <= to)).toEqual([]);
  expect(asked.filter((url) => url.includes('/first?'))).toHaveLength(1);
});

// Of the last five browsers know customs that differ from those of the server.
for (const language of 'en-GB en-US es es-MX pt-BR fr de it ar ar-EG en-IN es-AR es-CL fr-CH it-CH'.split(' ')) {
  test(`the code takes over without changing anything that is seen, in ${language}`, async ({ page, world }) => {
    const letGo = await withoutCode(page);
    await open(page, world, language);
    await expect(slots(page).first()).toBeVisible();
    await page.evaluate(async () => {
      const root = document.querySelector('cupo-booking')?.shadowRoot as ShadowRoot;
      // What moves when the markup comes into sight has come to rest before the code does.
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      await Promise.all(root.getAnimations().map((animation) => animation.finished.catch(() => undefined)));
      const seen = { changes: [] as string[], animations: 0, first: root.querySelector('[data-start]') };
      Object.assign(window, { seen });
      const tell = ({ type, target, attributeName, oldValue, addedNodes }: MutationRecord) => {
        const now = attributeName ? (target as Element).getAttribute(attributeName) : target.textContent;
        return `${type} of ${(target as Element).outerHTML?.slice(0, 80) ?? target.nodeName}: ${attributeName ?? ''} ${oldValue} -> ${now?.slice(0, 60)} (+${addedNodes.length})`;
      };
      const observer = new MutationObserver((records) => seen.changes.push(...records.map(tell)));
      observer.observe(root, { subtree: true, childList: true, characterData: true, characterDataOldValue: true, attributes: true, attributeOldValue: true });
      root.addEventListener('animationstart', () => seen.animations++);
      document.addEventListener('cupo:ready', () => {
        seen.changes.push(...observer.takeRecords().map(tell));
        observer.disconnect();
      });
    });
    await letGo();
    await ready(page);
    const seen = await page.evaluate(() => {
      const { seen } = window as unknown as { seen: { changes: string[]; animations: number; first: Element } };
      return { changes: seen.changes, animations: seen.animations, stays: seen.first.isConnected };
    });
    expect(seen).toEqual({ changes: [], animations: 0, stays: true });
  });
}

test('focus and scrolling outlast the moment in which the code takes over', async ({ page, world }) => {
  await page.setViewportSize({ width: 1280, height: 700 });
  const letGo = await withoutCode(page);
  await open(page, world);
  await expect(slots(page).first()).toBeVisible();
  const slot = slots(page).last();
  const start = await slot.getAttribute('data-start');
  await slot.focus();
  const scrolled = await page.evaluate(() => {
    const root = document.querySelector('cupo-booking')?.shadowRoot as ShadowRoot;
    const all = [...root.querySelectorAll('*')].filter((node) => node.scrollHeight > node.clientHeight + 8 && /auto|scroll/.test(getComputedStyle(node).overflowY));
    all.forEach((node) => node.scrollTo(0, 8));
    Object.assign(window, { all });
    return all.map((node) => node.scrollTop);
  });
  await letGo();
  await ready(page);
  const after = await page.evaluate(() => (window as unknown as { all: Element[] }).all.map((node) => node.isConnected && node.scrollTop));
  expect(after).toEqual(scrolled);
  await expect(page.locator(`button[data-start="${start}"]`)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByLabel(/^name/i)).toBeVisible();
});

test('without the first view of the server the widget shows the same', async ({ page, world }) => {
  await open(page, world);
  await expect(slots(page).first()).toBeVisible();
  await ready(page);
  const shown = () =>
    page.evaluate(() => document.querySelector('cupo-booking')?.shadowRoot?.querySelector('.card')?.outerHTML.replaceAll(/<select.*?<\/select>/g, ''));
  const withIt = await shown();
  await page.unrouteAll();
  const asked = page.waitForRequest((request) => request.url().includes('/embed/v1/first'));
  await open(page, world, 'en-GB', 'data-first-view="off"');
  expect(new URL((await asked).url()).searchParams.get('markup')).toBe('0');
  await ready(page);
  expect(await shown()).toBe(withIt);
});
