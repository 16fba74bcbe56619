// The gallery of the widget: each state of its first step on a small phone, a phone, a tablet and a desk, light and dark, in three
// languages. The pictures are kept in `widget/docs/gallery` when `KEEP_SCREENSHOTS` is set, so that a run leaves the repository
// as it was.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { FREE, halfHours, stage } from './stage';
import { expect, test } from './world';

const gallery = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'widget', 'docs', 'gallery');
const SIZES = [['small', 280, 'en'], ['phone', 390, 'es'], ['tablet', 768, 'ar'], ['desk', 1280, 'en']] as const;
const SCHEMES = ['light', 'dark'] as const;

/** Keeps a picture of what is in sight, which fits the window. */
async function keep(page: Page, name: string) {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), name).toBeLessThanOrEqual(0);
  await page.mouse.move(0, 0);
  if (process.env.KEEP_SCREENSHOTS) await page.screenshot({ path: join(gallery, `${name}.png`), animations: 'disabled', fullPage: true });
}

const around = (scheme: string, width: number) => `<style>body{margin:0;padding:${width < 300 ? 0 : 16}px;background:${scheme === 'dark' ? '#0b0f0e' : '#f2f4f3'}}</style>`;

for (const [size, width, lang] of SIZES)
  for (const colorScheme of SCHEMES)
    test(`the first step, ${size}, ${colorScheme}`, async ({ page, world }) => {
      await world.seed();
      await page.setViewportSize({ width, height: 600 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const event = { durations: [30, 60], hosts: [{ id: 'u1', name: 'Ana Ríos' }] };
      const slots = halfHours([...FREE, '2027-02-17', '2027-02-24', '2027-02-25', '2027-02-26'].sort(), 9);
      const head = around(colorScheme, width);
      await stage(page, world, { lang, event, slots, head });
      for (const view of ['week', 'list', 'month']) {
        await page.locator(`input[value=${view}]`).check();
        await expect(page.locator(`.pick[data-view=${view}]`)).toBeVisible();
        await keep(page, `pick-${view}-${size}-${colorScheme}`);
      }
      await page.locator('[data-press=zones]').click();
      await expect(page.getByRole('option').first()).toBeAttached();
      await keep(page, `pick-zones-${size}-${colorScheme}`);
      await page.unrouteAll();
      await stage(page, world, { lang, slots: [], head });
      await expect(page.locator('.hint')).toBeVisible();
      await keep(page, `pick-none-${size}-${colorScheme}`);
    });
