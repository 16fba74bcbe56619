// The gallery of the widget, continued: each state of the second and the third step. See gallery.spec.ts.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { stage } from './stage';
import { expect, test } from './world';

const gallery = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'widget', 'docs', 'gallery');
const SIZES = [['small', 280, 'en'], ['phone', 390, 'es'], ['tablet', 768, 'ar'], ['desk', 1280, 'en']] as const;
const SCHEMES = ['light', 'dark'] as const;

const readable = { 'access-control-allow-origin': '*' };
const QUESTIONS = [
  { id: 'occasion', label: 'What is it about?', help: 'A sentence is enough.', is_required: true, kind: 'long_text' },
  { id: 'size', label: 'Which size?', is_required: true, kind: 'choice', choices: ['Small', 'Large'] },
  { id: 'terms', label: 'I agree to the terms', is_required: true, kind: 'checkbox' },
];
const APPOINTMENT = {
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

for (const [size, width, lang] of SIZES)
  for (const colorScheme of SCHEMES)
    test(`the second and the third step, ${size}, ${colorScheme}`, async ({ page, context, world }) => {
      await world.seed();
      // High enough for everything: what sticks to the window's end would cover something in a picture of the whole.
      await page.setViewportSize({ width, height: 1100 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const head = `<style>body{margin:0;padding:${width < 300 ? 0 : 16}px;background:${colorScheme === 'dark' ? '#0b0f0e' : '#f2f4f3'}}</style>`;
      /** Keeps a picture of what is in sight, which fits the window and its card. */
      const keep = async (page: Page, name: string) => {
        expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), name).toBeLessThanOrEqual(0);
        expect(await page.locator('.card').evaluate((card) => card.scrollWidth - card.clientWidth), name).toBeLessThanOrEqual(0);
        await page.mouse.move(0, 0);
        const path = join(gallery, `${name}-${size}-${colorScheme}.png`);
        if (process.env.KEEP_SCREENSHOTS) await page.screenshot({ path, animations: 'disabled', fullPage: true });
      };
      const begin = async (event: Record<string, unknown>, expires_in = 600, attributes = '') => {
        await page.unrouteAll();
        await stage(page, world, { lang, event, head, attributes });
        await page.route('**/embed/v1/holds*', (route) => route.fulfill({ status: 201, json: { hold: 'kept', expires_in }, headers: readable }));
        await page.locator('[data-start]').first().click();
      };
      const answerWith = (status: number, json: unknown) => page.route('**/embed/v1/appointments**', (route) => route.fulfill({ status, json: json as object, headers: readable }));
      const fill = async () => {
        await page.locator('[name=name]').fill('Flora Flow');
        await page.locator('[name=email]').fill('flora@example.net');
      };
      const submit = () => page.locator('form.details [type=submit]').last().click();
      const press = (what: string) => page.locator(`[data-press=${what}]`).click();

      await begin({ questions: QUESTIONS, location: { kind: 'phone', needs_phone: true }, dial_code: '+34' });
      await keep(page, 'details');
      await submit();
      await expect(page.locator('.problem').first()).not.toBeEmpty();
      await keep(page, 'details-problems');

      await begin({ most_occurrences: 4 }, 75);
      await fill();
      await expect(page.locator('.kept')).toBeVisible();
      await keep(page, 'countdown');
      await context.setOffline(true);
      await expect(page.locator('.notice')).toBeVisible();
      await keep(page, 'offline');
      await context.setOffline(false);
      await expect(page.locator('.notice')).toHaveCount(0);
      let fail = () => {};
      const failing = new Promise<void>((resolve) => (fail = resolve));
      await page.route('**/embed/v1/appointments**', async (route) => {
        await failing;
        await route.fulfill({ status: 503, json: {}, headers: readable });
      });
      await submit();
      await expect(page.locator('.slow')).not.toBeEmpty();
      await keep(page, 'slow');
      fail();
      await expect(page.locator('.notice')).toBeVisible();
      await keep(page, 'failed');

      await begin({}, 0);
      await expect(page.locator('.pick .notice')).toBeVisible();
      await keep(page, 'expired');

      await begin({ needs_approval: true });
      await fill();
      await answerWith(201, { ...APPOINTMENT, status: 'pending', meeting_url: undefined, series: [] });
      await submit();
      await expect(page.locator('.confirmed')).toBeVisible();
      await keep(page, 'requested');

      await begin({});
      await fill();
      await answerWith(201, APPOINTMENT);
      await submit();
      await expect(page.locator('.confirmed')).toBeVisible();
      await keep(page, 'confirmed');
      await press('reschedule');
      await page.locator('[data-start]').nth(1).click();
      await keep(page, 'moving');
      await press('back');
      await press('back');
      await press('cancel');
      await keep(page, 'cancelling');
      await answerWith(200, { ...APPOINTMENT, status: 'cancelled', series: [] });
      await submit();
      await expect(page.locator('.seal.over')).toBeVisible();
      await keep(page, 'cancelled');
    });
