// The dashboard's page for embedding: options, preview, code, theme, and the check of a site.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import AxeBuilder from '@axe-core/playwright';
import { build } from 'esbuild';
import { keepScreenshot } from './screenshots';
import { openSite } from './site';
import { freeDays } from './widget';
import { test as base, expect, World } from './world';

/** The check opens pages of this machine, which only an operator allows. */
const test = base.extend<{ world: World }>({
  world: async ({}, use) => {
    const world = await World.start({ limits: 'private_addresses = true' });
    await use(world);
    await world.stop();
  },
});

async function signIn(page: Page, world: World) {
  const demo = await world.seed();
  await page.goto(`${world.cupo}/sign-in`);
  await page.getByLabel('E-mail').fill(demo.email);
  await page.getByLabel('Password').fill(demo.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(/\/dashboard$/);
  await page.goto(`${world.cupo}/dashboard/embed?event=demo%2Fintro`);
}

/** Changes before hydration would be lost. */
const hydrated = (page: Page) => expect.poll(() => page.getByRole('button', { name: 'Copy' }).isEnabled()).toBe(true);
const code = (page: Page) => page.locator('#code-text');
const preview = (page: Page) => page.frameLocator('.embed-stage iframe');

test('the preview and the code follow what is chosen', async ({ page, world }) => {
  await signIn(page, world);
  await hydrated(page);
  await expect(freeDays(preview(page)).first()).toBeVisible();
  await expect(code(page)).toHaveValue(`<script async src="${world.cupo}/embed.js"></script>\n<cupo-booking event="demo/intro"></cupo-booking>`);

  await expect(async () => {
    await page.getByRole('radio', { name: /^Popup/ }).check();
    await expect(code(page)).toHaveValue(/data-cupo-popup="demo\/intro"/, { timeout: 1000 });
  }).toPass();
  await page.getByLabel('What the button says').fill('Reserve a "table"');
  await page.getByLabel('What the button says').blur();
  await page.locator('#embed-theme').selectOption('dark');
  await page.locator('#embed-language').selectOption('es');
  await expect(code(page)).toHaveValue(/data-cupo-theme="dark" data-cupo-lang="es">Reserve a &quot;table&quot;<\/a>$/);
  await preview(page).getByRole('link', { name: 'Reserve a "table"' }).click();
  await expect(preview(page).getByRole('dialog')).toBeVisible();
  await expect(preview(page).getByRole('button', { name: 'Cerrar' })).toBeVisible();

  await page.getByRole('radio', { name: /^Floating button/ }).check();
  await page.getByText('Google Tag Manager').click();
  await expect(code(page)).toHaveValue(/script\.dataset\.floating = "demo\/intro";/);
  await expect(preview(page).getByRole('button', { name: 'Reserve a "table"' })).toBeVisible();
  for (const [platform, sign] of [
    ['Plain HTML', /data-floating="demo\/intro"/],
    ['WordPress', /data-floating="demo\/intro"/],
    ['Webflow', /data-floating="demo\/intro"/],
    ['Squarespace', /data-floating="demo\/intro"/],
    ['React', /useEffect/],
  ] as const) {
    await page.getByText(platform, { exact: true }).click();
    await expect(code(page)).toHaveValue(sign);
  }

  await page.getByText('Phone', { exact: true }).click();
  await expect.poll(async () => (await page.locator('.embed-stage iframe').boundingBox())?.width).toBeLessThanOrEqual(375);
});

test.describe('the code does what it promises', () => {
  const ways = {
    inline: (page: Page) => expect(freeDays(page).first()).toBeVisible(),
    page: (page: Page) => expect(freeDays(page).first()).toBeVisible(),
    popup: async (page: Page) => {
      await page.waitForFunction(() => 'Cupo' in window);
      await page.getByRole('link', { name: 'Reserve {now}' }).click();
      await expect(freeDays(page.getByRole('dialog')).first()).toBeVisible();
    },
    floating: async (page: Page) => {
      await page.getByRole('button', { name: 'Reserve {now}' }).click();
      await expect(freeDays(page.getByRole('dialog')).first()).toBeVisible();
    },
    link: async (page: Page) => {
      await page.getByRole('link', { name: 'Reserve {now}' }).click();
      await expect(page).toHaveURL(/\/demo\/intro\?lang=es$/);
      await expect(freeDays(page).first()).toBeVisible();
    },
  };
  /** What a site has beside the code: with a tag manager the places that the code looks for. */
  const sites: Record<string, (code: string) => Promise<string>> = {
    html: async (code) => code,
    gtm: async (code) => `<div id="booking"></div><a href="#booking">Reserve {now}</a>${code}`,
    react: async (code) => {
      const contents = `import { createElement } from 'react';\nimport { createRoot } from 'react-dom/client';\n${code}
        createRoot(document.querySelector('#app')).render(createElement(Booking));`;
      const made = await build({
        stdin: { contents, resolveDir: dirname(fileURLToPath(import.meta.url)), loader: 'jsx' },
        jsx: 'automatic',
        bundle: true,
        write: false,
        format: 'iife',
        define: { 'process.env.NODE_ENV': '"production"' },
      });
      return `<div id="app"></div><script>${made.outputFiles[0].text.replaceAll('</script', '<\\/script')}</script>`;
    },
  };
  for (const platform of Object.keys(sites))
    test(`on a site with ${platform}, whichever way is chosen`, async ({ page, world }) => {
      await signIn(page, world);
      for (const [way, works] of Object.entries(ways)) {
        const query = new URLSearchParams({ event: 'demo/intro', way, platform, language: 'es', text: 'Reserve {now}' });
        await page.goto(`${world.cupo}/dashboard/embed?${query}`);
        const pasted = await code(page).inputValue();
        await openSite(page, world, await sites[platform](pasted), { path: `/${way}` });
        await works(page);
      }
    });
});

test('the organization’s look is stored, and every calendar without a look of its own has it', async ({ page, world }) => {
  await signIn(page, world);
  await hydrated(page);
  await page.locator('#accent').fill('#7a1fa2');
  await page.locator('#radius').fill('4');
  await page.getByText('Dark', { exact: true }).last().click();
  await page.getByRole('button', { name: 'Save for all calendars' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await page.goto(`${world.cupo}/dashboard/embed`);
  await expect(page.locator('#accent')).toHaveValue('#7a1fa2');

  await page.goto(`${world.site}/`);
  await expect(freeDays(page).first()).toBeVisible();
  const frame = page.locator('cupo-booking .cupo');
  await expect(frame).toHaveAttribute('data-theme', 'dark');
  const property = (name: string) => frame.evaluate((it, name) => getComputedStyle(it).getPropertyValue(name).trim(), name);
  expect([await property('--cupo-accent'), await property('--cupo-radius')]).toEqual(['#7a1fa2', '4px']);

  // A page that sets its own keeps it.
  await page.addStyleTag({ content: 'cupo-booking{--cupo-accent:#aa0000}' });
  await page.evaluate(() => document.querySelector('cupo-booking')?.setAttribute('theme', 'light'));
  await expect(freeDays(page).first()).toBeVisible();
  await expect(frame).toHaveAttribute('data-theme', 'light');
  expect([await property('--cupo-accent'), await property('--cupo-radius')]).toEqual(['#aa0000', '4px']);
});

test('a check tells what a page of a site shows and what is missing', async ({ page, world }) => {
  await signIn(page, world);
  await hydrated(page);
  const check = async (address: string) => {
    await page.getByLabel('Address of the page').fill(address);
    await page.getByRole('button', { name: 'Check' }).click();
  };
  await expect(async () => {
    await check(`${world.site}/`);
    await expect(page.getByText('Visitors see the calendar there.')).toBeVisible({ timeout: 5000 });
  }).toPass();
  await expect(page.getByText('This event type stands on the page.')).toBeVisible();
  await check(`${world.site}/?event=demo/consult`);
  await expect(page.getByText('Only other event types stand on the page: demo/consult.')).toBeVisible();
  await check(`${world.site}/site.css`);
  await expect(page.getByText('The page does not load Cupo')).toBeVisible();
  await check(`${world.site}/nothing`);
  await expect(page.getByText('The page cannot be opened (404).')).toBeVisible();
  await check('not an address');
  await expect(page.getByText('Please give a web address')).toBeVisible();
});

test('without JavaScript the options are sent, the code is there, and the check tells what it found', async ({ browser, world }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await signIn(page, world);
  await page.getByRole('radio', { name: /^Floating button/ }).check();
  await page.getByRole('button', { name: 'Show' }).first().click();
  await expect(code(page)).toHaveValue(/data-floating="demo\/intro"/);
  await page.getByLabel('Address of the page').fill(`${world.site}/`);
  await page.getByRole('button', { name: 'Check' }).click();
  await expect(page.getByText('Visitors see the calendar there.')).toBeVisible();
  await context.close();
});

test('the embed page in both languages has nothing that axe finds', async ({ page, world }) => {
  await signIn(page, world);
  for (const [language, title] of [
    ['en', 'Embed'],
    ['es', 'Insertar'],
  ]) {
    for (const width of [1360, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(`${world.cupo}/dashboard/embed?lang=${language}`);
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(title);
      await expect(freeDays(preview(page)).first()).toBeVisible();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      const { violations } = await new AxeBuilder({ page }).exclude('.embed-stage iframe').analyze();
      expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
      if (language === 'en') await keepScreenshot(page, `embed-${width}`);
    }
  }
});
