// Pages of a site that a test writes itself. They lie on the sample site's origin, which the demo organization allows.

import type { Page } from '@playwright/test';
import type { World } from './world';

type Options = { head?: string; headers?: Record<string, string>; lang?: string; path?: string; query?: string };

/** The script tag, with what else stands in it. */
export const script = (world: World, attributes = '') => `<script async src="${world.cupo}/embed.js" ${attributes}></script>`;

/** Opens a page with this body. */
export async function openSite(page: Page, world: World, body: string, { head = '', headers = {}, lang = 'en', path = '/made', query = '' }: Options = {}) {
  const html = `<!doctype html><html lang="${lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <title>A site</title><link rel="icon" href="data:,">${head}</head><body>${body}</body></html>`;
  await page.route(`${world.site}${path}*`, (route) => route.fulfill({ contentType: 'text/html; charset=utf-8', body: html, headers }));
  await page.goto(`${world.site}${path}${query}`);
}

/** Keeps what the page is told, in order, as `[name, detail]`. */
export async function hearEvents(page: Page) {
  await page.addInitScript(() => {
    const told: [string, unknown][] = [];
    Object.assign(window, { told });
    for (const name of ['ready', 'day-selected', 'slot-selected', 'booked', 'rescheduled', 'cancelled', 'error'])
      document.addEventListener(`cupo:${name}`, (event) => told.push([name, (event as CustomEvent).detail]));
  });
}

export const told = (page: Page) => page.evaluate(() => (window as unknown as { told: [string, Record<string, string>][] }).told);
