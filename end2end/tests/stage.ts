// A widget whose day, free times and event type a test sets itself, so that it sees the same on any day of the year.

import { expect, type Page } from '@playwright/test';
import { openSite } from './site';
import type { World } from './world';

type Stage = {
  /** The visitor's present moment. */
  now?: string;
  /** The free times, in order. */
  slots?: string[];
  seats?: number;
  /** What is otherwise in the answer about the event type. */
  event?: Record<string, unknown>;
  /** Attributes of the element. */
  attributes?: string;
  /** Around the element, and in the page's head. */
  body?: (widget: string) => string;
  head?: string;
  lang?: string;
  /** What is pressed before the widget is there. */
  opener?: string;
};

/** Half hours from nine on, so many a day. */
export function halfHours(days: string[], count = 4): string[] {
  return days.flatMap((day) => Array.from({ length: count }, (_, half) => new Date(Date.parse(`${day}T08:00:00Z`) + half * 1_800_000).toISOString().replace('.000', '')));
}

export const NOW = '2027-02-15T12:00:00Z';
/** Free days in February and March of 2027, when Madrid is an hour ahead of UTC until 28 March. */
export const FREE = ['2027-02-16', '2027-02-18', '2027-02-22', '2027-02-23', '2027-03-01', '2027-03-03', '2027-03-09', '2027-03-10', '2027-03-11', '2027-03-12', '2027-03-15', '2027-03-30'];

/** Opens a page with the widget in it. What it asks for its slots is answered from the same list; the paths that were asked are answered. */
export async function stage(page: Page, world: World, { now = NOW, slots = halfHours(FREE), seats, event = {}, attributes = '', body = (widget) => widget, head = '', lang = 'en-GB', opener }: Stage = {}): Promise<string[]> {
  const asked: string[] = [];
  const between = (from: string, to: string) => {
    const day = (text: string, more: number) => new Date(Date.parse(text) + more * 86_400_000).toISOString();
    const shown = slots.filter((start) => start >= day(from, -1) && start < day(to, 2));
    return { slots: shown, ...(seats && { seats_left: shown.map(() => seats) }) };
  };
  await page.clock.setFixedTime(now);
  // What an earlier stage of the same tab has kept is not wanted.
  await page.addInitScript(() => sessionStorage.clear());
  await page.route('**/embed/v1/first*', async (route) => {
    const answer = await route.fetch();
    const first = await answer.json();
    const month = new Date(now);
    const iso = (months: number, day: number) => new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + months, day)).toISOString().slice(0, 10);
    const [from, to] = [iso(0, 1), iso(1, 0)];
    const event_type = { ...first.event_type, time_zone: 'Europe/Madrid', window_end: '2027-06-30T12:00:00Z', ...event };
    await route.fulfill({ response: answer, json: { ...first, markup: undefined, event_type, from, to, slots: between(from, to) } });
  });
  await page.route('**/embed/v1/slots*', async (route) => {
    const url = new URL(route.request().url());
    asked.push(url.pathname + url.search);
    await route.fulfill({ json: between(url.searchParams.get('from') ?? '', url.searchParams.get('to') ?? ''), headers: { 'access-control-allow-origin': '*' } });
  });
  // The server knows nothing of these times and would refuse to keep them.
  await page.route('**/embed/v1/holds*', (route) => route.fulfill({ status: 201, json: { hold: 'kept', expires_in: 600 }, headers: { 'access-control-allow-origin': '*' } }));
  await openSite(page, world, body(`<cupo-booking event="demo/intro" ${attributes}></cupo-booking>`), { lang, head: `<script async src="${world.cupo}/embed.js"></script>${head}` });
  if (opener) await page.locator(opener).click();
  await expect(page.locator('.pick, .confirmed, .sorry')).toBeVisible();
  return asked;
}

/** What has the focus, however deep: its tag, and what it is for. */
export const focused = (page: Page) =>
  page.evaluate(() => {
    let active = document.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    const about = (name: string) => active?.getAttribute(name);
    return about('data-day') ?? about('data-start') ?? about('data-press') ?? about('id') ?? about('role') ?? active?.tagName ?? '';
  });

type Measure = { contrast: number; color: string; ground: string };

/** The contrast of an element's text with what it stands on, as WCAG counts it. */
export const contrast = (page: Page, selector: string): Promise<Measure> =>
  page.locator(selector).first().evaluate((element) => {
    const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true })!;
    const paint = (color: string) => {
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data];
    };
    const luminance = ([red, green, blue]: number[]) => {
      const linear = (value: number) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
      return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    };
    const grounds: string[] = [];
    for (let node: Node | null = element; node; node = node.parentNode ?? (node as ShadowRoot).host ?? null)
      if (node instanceof Element) grounds.unshift(getComputedStyle(node).backgroundColor);
    paint('white');
    const ground = grounds.map(paint).at(-1) ?? [];
    const color = paint(getComputedStyle(element).color);
    const [more, less] = [luminance(color), luminance(ground)].sort((one, other) => other - one);
    return { contrast: (more + 0.05) / (less + 0.05), color: color.join(), ground: ground.join() };
  });
