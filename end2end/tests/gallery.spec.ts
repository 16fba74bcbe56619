// The gallery of the widget: each state of its first step on a small phone, a phone, a tablet and a desk, light and dark, in three
// languages.

import { around, expectAsRecorded, keep as keepAs, SCHEMES, SIZES } from './gallery';
import { Seen } from './looks';
import { FREE, halfHours, stage } from './stage';
import { steps } from './steps';
import { expect, test } from './world';

for (const [size, width, lang] of SIZES)
  for (const colorScheme of SCHEMES)
    test(`the first step, ${size}, ${colorScheme}`, async ({ page, world }) => {
      await world.seed();
      await page.setViewportSize({ width, height: 600 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const event = { durations: [30, 60], hosts: [{ id: 'u1', name: 'Ana Ríos' }] };
      const slots = halfHours([...FREE, '2027-02-17', '2027-02-24', '2027-02-25', '2027-02-26'].sort(), 9);
      const head = around(colorScheme, width);
      const seen = new Seen();
      const keep = (name: string) => keepAs(page, `${name}-${size}-${colorScheme}`, seen);
      await stage(page, world, { lang, event, slots, head });
      for (const view of ['week', 'list', 'month']) {
        await page.locator(`input[value=${view}]`).check();
        await expect(page.locator(`.pick[data-view=${view}]`)).toBeVisible();
        await keep(`pick-${view}`);
      }
      await page.locator('[data-press=zones]').click();
      await expect(page.locator('.zones [aria-selected=true]')).toBeInViewport();
      await keep('pick-zones');
      await page.locator('.zones input').fill('atlantis');
      await expect(page.locator('.zones .hint')).toBeVisible();
      await keep('pick-no-zone');

      // A host so far away that another day begins there, seats, and clocks that change before then.
      await page.unrouteAll();
      await stage(page, world, { lang, slots: halfHours(['2027-03-30'], 9), seats: 2, event: { time_zone: 'Pacific/Auckland' }, head });
      await expect(page.locator('.times .aside')).toHaveCount(2);
      await keep('pick-asides');
      await page.locator('[data-start]').last().click();
      await expect(page.locator('.about .aside')).toHaveCount(2);
      await keep('details-asides');

      await page.unrouteAll();
      await stage(page, world, { lang, slots: [], head });
      await expect(page.locator('.hint')).toBeVisible();
      await keep('pick-none');
      await page.route('**/embed/v1/slots*', (route) => route.abort());
      for (let months = 0; months < 2; months += 1) await page.locator('[data-press=later]').click();
      await expect(page.locator('[data-press=retry]')).toBeVisible();
      await keep('pick-failed');

      const { begin } = steps(page, world, { lang, head });
      await begin();
      await page.locator('[data-press=back]').click();
      await page.route('**/embed/v1/holds*', (route) => route.fulfill({ status: 409, json: { code: 'slot-taken' }, headers: { 'access-control-allow-origin': '*' } }));
      await page.locator('[data-start]').nth(1).click();
      await expect(page.locator('.pick .notice')).toBeVisible();
      await keep('pick-taken');
      expectAsRecorded(seen, 'first', size, colorScheme);
    });
