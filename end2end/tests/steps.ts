// The second and the third step with answers that a test sets itself: what is asked, what was booked, and the way there.

import { expect, type Page } from '@playwright/test';
import { stage } from './stage';
import type { World } from './world';

export const readable = { 'access-control-allow-origin': '*' };

export const QUESTIONS = [
  { id: 'occasion', label: 'What is it about?', help: 'A sentence is enough.', is_required: true, kind: 'long_text' },
  { id: 'size', label: 'Which size?', is_required: true, kind: 'choice', choices: ['Small', 'Large'] },
  { id: 'terms', label: 'I agree to the terms', is_required: true, kind: 'checkbox' },
];

export const APPOINTMENT = {
  token: 'secret',
  manage_url: 'https://cupo.example/manage/secret',
  status: 'confirmed',
  title: 'Introduction',
  org: 'demo',
  event: 'intro',
  organization_name: 'Demo Studio',
  host_name: 'Ana Ríos',
  start: '2027-02-16T08:00:00Z',
  end: '2027-02-16T08:30:00Z',
  visitor_email: 'flora@example.net',
  location: { kind: 'meet', needs_phone: false },
  meeting_url: 'https://meet.google.com/abc-defg-hij',
  meeting_pending: false,
  expires_at: '2027-02-16T07:00:00Z',
  can_cancel: true,
  can_reschedule: true,
  series: [{ start: '2027-02-23T08:00:00Z', manage_url: 'https://cupo.example/manage/next' }],
  add_to_calendar: { google: 'https://calendar.google.com/', outlook: 'https://outlook.live.com/', ics: 'https://cupo.example/a.ics' },
};

/** An event type that asks for everything there is. */
export const ASKING = { questions: QUESTIONS, location: { kind: 'phone', needs_phone: true }, dial_code: '+34' };

type Look = { lang?: string; head?: string; attributes?: string; event?: Record<string, unknown> };

/** What a visitor does from step to step, on a page with a widget that `world` serves. */
export const steps = (page: Page, world: World, look: Look = {}) => {
  const answerWith = (status: number, json: unknown) => page.route('**/embed/v1/appointments**', (route) => route.fulfill({ status, json: json as object, headers: readable }));
  const submit = () => page.locator('form.details [type=submit]').click();
  const fill = async () => {
    await page.locator('[name=name]').fill('Flora Flow');
    await page.locator('[name=email]').fill('flora@example.net');
  };
  const open = async (more: Look = {}) => {
    await page.unrouteAll();
    await stage(page, world, { ...look, ...more });
  };
  /** Picks the first free time, which is kept for so many seconds. */
  const begin = async (event: Record<string, unknown> = {}, expires_in = 600) => {
    await open({ event });
    await page.route('**/embed/v1/holds*', (route) => route.fulfill({ status: 201, json: { hold: 'kept', expires_in }, headers: readable }));
    await page.locator('[data-start]').first().click();
    if (expires_in > 0) await expect(page.locator('form.details')).toBeVisible();
  };
  /** Books what is answered. */
  const book = async (appointment: Partial<typeof APPOINTMENT> = {}, event: Record<string, unknown> = {}) => {
    await begin(event);
    await fill();
    await answerWith(201, { ...APPOINTMENT, ...appointment });
    await submit();
    await expect(page.locator('.confirmed .seal')).toBeVisible();
  };
  const press = (what: string) => page.locator(`[data-press=${what}]`).click();
  return { answerWith, submit, fill, open, begin, book, press };
};

/** How much wider than its window the page is, and than its card what is in it. */
export async function expectToFit(page: Page, what: string) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(over, what).toBeLessThanOrEqual(0);
  const clipped = await page.locator('.card').evaluate((card) => card.scrollWidth - card.clientWidth);
  expect(clipped, `${what}, card`).toBeLessThanOrEqual(0);
}

/**
 * What can be pressed and is smaller than a finger. A box that is ticked is as large as its line. Seven days of 44 pixels do not
 * fit into less than 318.
 */
export async function expectTargets(page: Page, what: string) {
  const small = await page.locator('cupo-booking').evaluate((widget) =>
    [...widget.shadowRoot!.querySelectorAll('button, input, select, textarea, a, [role=option]')].flatMap((element) => {
      const target = element.closest('.row, .tel') ?? element;
      const { width, height } = target.getBoundingClientRect();
      const before = getComputedStyle(target, '::before');
      const reach = before.position === 'absolute' ? 2 * -parseFloat(before.top) : 0;
      const least = element.matches('.day') && innerWidth < 318 ? 38 : 44;
      return width > 0 && (width < least - 0.1 || height + reach < 44 - 0.1) ? [`${target.outerHTML.slice(0, 90)} ${width}x${height}`] : [];
    }),
  );
  expect(small, what).toEqual([]);
}
