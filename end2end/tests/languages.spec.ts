// The public page and the widget in the languages of visitors, from left to right and from right to left, on a phone, a tablet and a desk.

import type { Page } from '@playwright/test';
import { stage } from './stage';
import { ASKING, steps } from './steps';
import { freeDays, openFreeDay, slots } from './widget';
import { expect, test } from './world';

const LANGUAGES = ['en', 'es', 'pt', 'fr', 'de', 'it', 'ar'];
const SIZES = { phone: { width: 390, height: 844 }, tablet: { width: 768, height: 1024 }, desk: { width: 1200, height: 900 } };

/** What the widget calls the button that confirms, by language. */
const CONFIRM: Record<string, RegExp> = { en: /^Confirm booking$/, es: /^Confirmar la cita$/, ar: /^تأكيد الحجز$/ };

/** How the mail that confirms begins. */
const SUBJECT: Record<string, RegExp> = { en: /^Confirmed: /, es: /^Confirmada: /, ar: /^تم التأكيد: / };

/** How far the page is wider than the window. */
const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('the public page speaks every language, and fits a phone in each', async ({ page, world }, info) => {
    await world.seed();
    for (const language of LANGUAGES) {
      for (const [name, size] of Object.entries(SIZES)) {
        await page.setViewportSize(size);
        await page.goto(`${world.cupo}/demo/intro?lang=${language}`);
        const html = page.locator('html');
        await expect(html).toHaveAttribute('dir', language === 'ar' ? 'rtl' : 'ltr');
        await expect(html).toHaveAttribute('lang', new RegExp(`^${language}`));
        const days = page.locator('.month td a');
        if ((await days.count()) === 0) await page.locator('.month-head a.turn').last().click();
        await days.first().click();
        await expect(page.locator('.times li a').first()).toBeVisible();
        expect(await overflow(page), `${language}, ${name}`).toBeLessThanOrEqual(0);
        await page.screenshot({ path: info.outputPath(`public-${language}-${name}.png`), fullPage: true });
        await page.locator('.times li a').first().click();
        await expect(page.locator('form.details')).toBeVisible();
        expect(await overflow(page), `${language}, ${name}, form`).toBeLessThanOrEqual(0);
        await page.screenshot({ path: info.outputPath(`public-form-${language}-${name}.png`), fullPage: true });
      }
    }
  });

  test('dates of the page are those that the browser itself would write', async ({ page, world, browser }) => {
    await world.seed();
    const scripted = await browser.newPage({ javaScriptEnabled: true });
    for (const tag of ['en-GB', 'en-US', 'es', 'es-MX', 'pt-BR', 'fr', 'de', 'it', 'ar', 'ar-EG']) {
      await page.goto(`${world.cupo}/demo/intro?lang=${tag}&month=2030-11`);
      const month = await scripted.evaluate((tag) => {
        const options = { month: 'long', year: 'numeric', timeZone: 'UTC' } as const;
        return new Intl.DateTimeFormat(tag, options).format(Date.UTC(2030, 10, 1));
      }, tag);
      await expect(page.locator('#month'), tag).toHaveText(month);
    }
    await scripted.close();
  });
});

for (const language of ['en', 'es', 'ar']) {
  test(`a visitor books with the widget in ${language}, and the mail is in ${language}`, async ({ page, world }, info) => {
    await world.seed();
    await page.goto(`${world.cupo}/demo/intro?lang=${language}`);
    await expect(widget(page)).toHaveAttribute('lang', new RegExp(`^${language}`));
    await openFreeDay(page);
    await expect(widget(page).locator('.card')).toHaveCSS('direction', language === 'ar' ? 'rtl' : 'ltr');
    const picture = async (step: string) => {
      for (const [name, size] of Object.entries(SIZES)) {
        await page.setViewportSize(size);
        expect(await overflow(page), `${step}, ${name}`).toBeLessThanOrEqual(0);
        await page.screenshot({ path: info.outputPath(`${step}-${language}-${name}.png`), fullPage: true });
      }
    };
    await picture('pick');
    await slots(page).first().click();
    await expect(widget(page).getByRole('button', { name: CONFIRM[language] })).toBeVisible();
    await picture('details');
    await widget(page).locator('[autocomplete="name"]').fill('Nora');
    await widget(page).locator('[autocomplete="email"]').fill('nora@example.net');
    await widget(page).getByRole('button', { name: CONFIRM[language] }).click();
    await expect(widget(page).locator('.confirmed h3')).toBeVisible();
    await picture('confirmed');
    const mail = await world.mailTo('nora@example.net', SUBJECT[language]);
    expect(mail.html).toContain(`dir="${language === 'ar' ? 'rtl' : 'ltr'}"`);
    await page.setViewportSize(SIZES.phone);
    // The policy of Cupo's own pages would hold for the mail too.
    await page.goto('about:blank');
    await page.setContent(mail.html);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.screenshot({ path: info.outputPath(`mail-${language}.png`), fullPage: true });
  });
}

test('the arrows of the calendar follow the direction of the language', async ({ page, world }) => {
  await world.seed();
  await page.goto(`${world.cupo}/demo/intro?lang=ar`);
  await openFreeDay(page);
  await page.getByRole('button', { name: 'الشهر التالي' }).click();
  await expect(freeDays(page).nth(1)).toBeVisible();
  await freeDays(page).first().click();
  const focused = () => page.evaluate(() => document.querySelector('cupo-booking')?.shadowRoot?.activeElement?.getAttribute('data-day') ?? '');
  const chosen = await focused();
  expect(chosen).not.toBe('');
  // What lies to the left comes later where one reads from right to left.
  await page.keyboard.press('ArrowLeft');
  await expect.poll(async () => (await focused()) > chosen).toBe(true);
  await page.keyboard.press('ArrowRight');
  await expect.poll(focused).toBe(chosen);
});

/** Whether the second of two letters of an element stands to the right of the first, by their places in its text. */
const runsRight = (page: Page, selector: string, places: [number, number]) =>
  page.locator(selector).first().evaluate((element, places) => {
    const text = document.createTreeWalker(element, NodeFilter.SHOW_TEXT).nextNode() as Text;
    const [one, other] = places.map((place) => {
      const letter = document.createRange();
      const at = place < 0 ? text.data.trimEnd().length + place : place;
      letter.setStart(text, at);
      letter.setEnd(text, at + 1);
      return letter.getBoundingClientRect().left;
    });
    return other > one;
  }, places);

test('what people wrote runs in its own direction, and begins at the edge of the card', async ({ page, world }) => {
  await world.seed();
  const english = { title: 'Shall we talk?', description: 'Half an hour.' };
  const arabic = { title: 'هل نتحدث؟', description: 'نصف ساعة.' };
  for (const [lang, event, isToTheRight] of [['ar', english, true], ['en', arabic, false]] as const) {
    await stage(page, world, { lang, event });
    for (const text of ['.title', '.text']) {
      expect(await runsRight(page, text, [0, -1]), `${lang} ${text}`).toBe(isToTheRight);
      expect(await page.locator(text).evaluate((element) => getComputedStyle(element).textAlign), `${lang} ${text}`).toBe(lang === 'ar' ? 'right' : 'left');
    }
    await page.unrouteAll();
  }
  const { begin } = steps(page, world, { lang: 'ar' });
  await begin(ASKING);
  for (const text of ['[for="answers.occasion"]', '.help']) expect(await runsRight(page, text, [0, -1]), text).toBe(true);
  await page.locator('[name=name]').fill('Flora?');
  expect(await page.locator('[name=name]').evaluate((input) => getComputedStyle(input).unicodeBidi)).toBe('plaintext');
});

test('what is optional says so after a space, in every language', async ({ page, world }) => {
  await world.seed();
  for (const lang of LANGUAGES) {
    await steps(page, world, { lang }).begin();
    expect(await page.locator('[for=notes]').evaluate((label) => label.textContent), lang).toMatch(/^\S+ \S+$/);
  }
});

test('in Arabic the time of a zone is read from right to left, and its offset from left to right', async ({ page, world }) => {
  await world.seed();
  await stage(page, world, { lang: 'ar' });
  await page.locator('[data-press=zones]').click();
  await page.locator('.zones input').fill('lisbon');
  await expect(page.locator('.zones small')).toHaveText('12:00 م · GMT+0');
  // The hour stands to the right of what says that it is past noon.
  expect(await runsRight(page, '.zones small', [0, 6])).toBe(false);
  expect(await runsRight(page, '.zones .offset', [0, -1])).toBe(true);
});

const widget = (page: Page) => page.locator('cupo-booking');
