// The gallery of the widget, continued: each state of the second and the third step. See gallery.spec.ts.

import { around, expectAsRecorded, keep as keepAs, SCHEMES, SIZES } from './gallery';
import { Seen } from './looks';
import { APPOINTMENT, ASKING, readable, steps } from './steps';
import { expect, test } from './world';

for (const [size, width, lang] of SIZES)
  for (const colorScheme of SCHEMES)
    test(`the second and the third step, ${size}, ${colorScheme}`, async ({ page, context, world }) => {
      await world.seed();
      // High enough for everything: what sticks to the window's end would cover something in a picture of the whole.
      await page.setViewportSize({ width, height: 1100 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const seen = new Seen();
      const keep = (name: string) => keepAs(page, `${name}-${size}-${colorScheme}`, seen);
      const { answerWith, submit, fill, open, begin, book, press } = steps(page, world, { lang, head: around(colorScheme, width) });

      await begin(ASKING);
      await keep('details');
      await submit();
      await expect(page.locator('.problem').first()).not.toBeEmpty();
      await page.getByRole('radio', { name: 'Small' }).check();
      await page.getByRole('checkbox').check();
      await keep('details-problems');

      await begin({ most_occurrences: 4 }, 75);
      await fill();
      await expect(page.locator('.kept')).toBeVisible();
      await keep('countdown');
      await context.setOffline(true);
      await expect(page.locator('.notice')).toBeVisible();
      await keep('offline');
      await context.setOffline(false);
      await expect(page.locator('.notice')).toHaveCount(0);
      const dates = ['2027-02-16T08:00:00Z', '2027-02-23T08:00:00Z', '2027-03-02T08:00:00Z'].map((start, place) => ({ start, is_free: place !== 1, reason: place === 1 ? 'Somebody else was quicker.' : '' }));
      await page.route('**/embed/v1/series*', (route) => route.fulfill({ json: { dates }, headers: readable }));
      await page.locator('[name=recurrence]').selectOption('weekly');
      await expect(page.locator('.taken')).toBeVisible();
      await keep('series');
      await page.locator('[name=recurrence]').selectOption('');
      let fail = () => {};
      const failing = new Promise<void>((resolve) => (fail = resolve));
      await page.route('**/embed/v1/appointments**', async (route) => {
        await failing;
        await route.fulfill({ status: 503, json: {}, headers: readable });
      });
      await submit();
      await expect(page.locator('.slow')).not.toBeEmpty();
      await keep('slow');
      fail();
      await expect(page.locator('.notice')).toBeVisible();
      await keep('failed');

      await begin({}, 0);
      await expect(page.locator('.pick .notice')).toBeVisible();
      await keep('expired');

      await book({ status: 'pending', meeting_url: undefined, series: [] }, { needs_approval: true });
      await keep('requested');
      await book({ meeting_url: undefined, meeting_pending: true, series: [] });
      await keep('meeting-pending');

      await book();
      await keep('confirmed');
      await press('reschedule');
      await page.locator('[data-start]').nth(1).click();
      await expect(page.locator('form.details')).toBeVisible();
      await keep('moving');
      await press('back');
      await press('back');
      await press('cancel');
      await keep('cancelling');
      await answerWith(200, { ...APPOINTMENT, status: 'cancelled', series: [] });
      await submit();
      await expect(page.locator('.seal.over')).toBeVisible();
      await keep('cancelled');

      // An appointment that is opened by its secret.
      let answer = () => {};
      const answered = new Promise<void>((resolve) => (answer = resolve));
      const manage = async (status: number, json: unknown) => {
        await open({ attributes: 'manage="secret"' });
        await page.route('**/embed/v1/appointments/*', async (route) => {
          await answered;
          await route.fulfill({ status, json: json as object, headers: readable });
        });
        await page.reload();
        await expect(page.locator('.confirmed')).toBeVisible();
      };
      await manage(404, {});
      await expect(page.locator('.confirmed[aria-busy]')).toBeVisible();
      await keep('opening');
      answer();
      await expect(page.locator('[data-press=anew]')).toBeVisible();
      await keep('not-found');
      await manage(200, { ...APPOINTMENT, status: 'declined', series: [] });
      await expect(page.locator('.seal.over')).toBeVisible();
      await keep('declined');
      expectAsRecorded(seen, 'later', size, colorScheme);
    });

test('the second and the third step have room in each language on each device', async ({ page, world }) => {
  await world.seed();
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  for (const lang of ['es', 'en', 'ar']) {
    const { begin, fill, book, press } = steps(page, world, { lang, head: around('light', 390) });
    /** The same on every device. */
    const keep = async (name: string) => {
      for (const [size, width] of SIZES.slice(1)) {
        await page.setViewportSize({ width, height: 1100 });
        await keepAs(page, `${name}-${lang}-${size}`);
      }
    };
    await begin(ASKING);
    await page.locator('form.details [type=submit]').click();
    await expect(page.locator('.problem').first()).not.toBeEmpty();
    await keep('details');
    await begin({ most_occurrences: 4 }, 75);
    await fill();
    await expect(page.locator('.kept')).toBeVisible();
    await keep('countdown');
    await book();
    await keep('confirmed');
    await press('cancel');
    await keep('cancelling');
  }
});
