// The gallery of the widget: where its pictures are kept when `KEEP_SCREENSHOTS` is set, so that a run leaves the repository as
// it was, and what holds in each of them.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { Seen } from './looks';
import { expectTargets, expectToFit } from './steps';

const gallery = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'widget', 'docs', 'gallery');

export const SIZES = [['small', 280, 'en'], ['phone', 390, 'es'], ['tablet', 768, 'ar'], ['desk', 1280, 'en']] as const;
export const SCHEMES = ['light', 'dark'] as const;

/** A page around the widget, as quiet as can be. */
export const around = (scheme: string, width: number) => `<style>body{margin:0;padding:${width < 300 ? 0 : 16}px;background:${scheme === 'dark' ? '#0b0f0e' : '#f2f4f3'}}</style>`;

/** A picture of what is in sight, of the whole page or of its window. */
export async function picture(page: Page, name: string, fullPage = true) {
  await page.mouse.move(0, 0);
  if (process.env.KEEP_SCREENSHOTS) await page.screenshot({ path: join(gallery, `${name}.png`), animations: 'disabled', fullPage });
}

/** Keeps a picture of the widget, which fits its window and its card, and whose targets a finger meets. */
export async function keep(page: Page, name: string, seen?: Seen) {
  await expectToFit(page, name);
  await expectTargets(page, name);
  await picture(page, name);
  await seen?.add(page);
}

/** Compares what was seen with what is recorded; two sizes stand for all. */
export function expectAsRecorded(seen: Seen, steps: string, size: string, scheme: string) {
  if (size === 'phone' || size === 'desk') seen.expectAsRecorded(join(gallery, 'looks'), `${steps}-${size}-${scheme}`);
}
