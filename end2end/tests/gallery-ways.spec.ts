// The gallery of the widget, continued: what is seen before it, around it and in its place, which is as accessible as the rest.
// See gallery.spec.ts.

import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { around, picture, SCHEMES, SIZES } from './gallery';
import { openSite, script } from './site';
import { stage } from './stage';
import { expect, test } from './world';

/** No finding of any kind, in the widget and in what a page adds for it. */
async function expectAccessible(page: Page, what: string) {
  const { violations } = await new AxeBuilder({ page }).disableRules(['region', 'landmark-one-main', 'page-has-heading-one']).analyze();
  expect(violations.map(({ id, nodes }) => ({ what, id, nodes: nodes.map(({ html, failureSummary }) => [html, failureSummary]) }))).toEqual([]);
}

for (const [size, width, lang] of SIZES.filter(([size]) => size === 'phone' || size === 'desk'))
  for (const colorScheme of SCHEMES)
    test(`the skeleton, the popup, the floating button, the frame and the apology, ${size}, ${colorScheme}`, async ({ page, world }) => {
      await world.seed();
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const head = around(colorScheme, width);
      const keep = async (name: string) => {
        await expectAccessible(page, name);
        await picture(page, `${name}-${size}-${colorScheme}`, false);
      };
      const look = { lang, head };
      const widget = `${script(world)}<cupo-booking event="demo/intro"></cupo-booking>`;
      const meta = '<meta name="color-scheme" content="light dark">';

      await page.route('**/embed/v1/first*', () => {});
      await openSite(page, world, widget, look);
      await expect(page.locator('.bones')).toBeVisible();
      await keep('skeleton');
      await page.unrouteAll();

      await stage(page, world, { ...look, body: () => '<button data-cupo-popup="demo/intro" style="min-height:44px">Book</button>', opener: 'button' });
      await keep('popup');
      await page.unrouteAll();

      const floating = script(world, 'data-floating="demo/intro"');
      await openSite(page, world, `<p style="color:${colorScheme === 'dark' ? '#fff' : '#000'}">A page with much to say</p>${floating}`, look);
      await expect(page.getByRole('button')).toBeVisible();
      await keep('floating');
      const box = (await page.getByRole('button').boundingBox())!;
      expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(44);
      await page.unrouteAll();

      const cupo = new URL(world.cupo).origin;
      const policy = `script-src ${cupo} 'unsafe-inline'; connect-src ${cupo}; frame-src ${cupo}`;
      await openSite(page, world, widget, { ...look, head: meta + head, headers: { 'content-security-policy': policy }, path: '/framed' });
      await expect(page.frameLocator('cupo-booking iframe').locator('h1')).toBeVisible();
      await keep('frame');

      await openSite(page, world, `${script(world)}<cupo-booking event="demo/nothing-here"></cupo-booking>`, { ...look, head: meta + head, path: '/sorry' });
      await expect(page.locator('.sorry')).toBeVisible();
      await keep('sorry');
      await page.route('**/embed/v1/first*', (route) => route.abort());
      await openSite(page, world, widget, { ...look, path: '/unreachable' });
      await expect(page.locator('.sorry a')).toBeVisible();
      await keep('unreachable');
    });
