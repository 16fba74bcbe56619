// axe-core finds nothing at all in the widget and nothing serious on any page that people see; what a screen reader is told, and
// what the keyboard alone reaches.

import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { openSite, script } from './site';
import { contrast, focused, FREE, halfHours, stage } from './stage';
import { APPOINTMENT, ASKING, expectTargets, expectToFit, steps } from './steps';
import { book, fillDetails, openFreeDay, slots } from './widget';
import { expect, test } from './world';

/** No finding of any kind within the widget; the page around it is somebody else's. */
async function expectNothing(page: Page, what: string) {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const { violations } = await new AxeBuilder({ page }).include('cupo-booking').analyze();
  expect(violations.map(({ id, nodes }) => ({ what, id, nodes: nodes.map(({ html, failureSummary }) => [html, failureSummary]) }))).toEqual([]);
}

async function expectNothingSerious(page: Page, what: string) {
  await expect(page).toHaveTitle(/./);
  // What is still fading in has not its own contrast yet.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(serious.map(({ id, nodes }) => ({ what, id, nodes: nodes.map(({ html, failureSummary }) => [html, failureSummary]) }))).toEqual([]);
}

test('the widget is accessible at each step', async ({ page, world }) => {
  await world.seed();
  for (const [path, width] of [['/', 1180], ['/es', 390]] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(world.site + path);
    await openFreeDay(page);
    await expectNothing(page, `${path} slots`);
    await slots(page).first().click();
    await page.getByRole('button', { name: /confirm/i }).click();
    await expectNothing(page, `${path} details with problems`);
    await fillDetails(page, 'Axel Access', 'axel@example.net');
    await page.getByRole('button', { name: /confirm/i }).click();
    await expect(page.getByRole('heading', { name: /confirm/i })).toBeVisible();
    await expectNothing(page, `${path} confirmation`);
  }
});

test('the first step is accessible in every view and state, at every size, light, dark and in forced colours', async ({ page, world }) => {
  await world.seed();
  const event = { durations: [30, 60], hosts: [{ id: 'u1', name: 'Ana' }] };
  for (const [lang, width, colorScheme] of [['en', 1180, 'light'], ['ar', 320, 'dark'], ['es', 768, 'dark']] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await stage(page, world, { lang, event, seats: 2 });
    for (const view of ['week', 'list', 'month']) {
      await page.locator(`input[value=${view}]`).check();
      await expectNothing(page, `${lang} ${view}`);
      await page.emulateMedia({ forcedColors: 'active' });
      await expectNothing(page, `${lang} ${view} in forced colours`);
      await page.emulateMedia({ forcedColors: 'none' });
    }
    await page.locator('[data-press=zones]').click();
    // A few stand for the hundreds, which axe-core takes minutes for.
    await page.locator('.zones input').fill('ma');
    await expect(page.locator('.zones [role=option]').first()).toBeAttached();
    await expectNothing(page, `${lang} zones`);
    await page.locator('.zones input').fill('atlantis');
    await expectNothing(page, `${lang} no zone`);
    await page.unrouteAll();

    await stage(page, world, { lang, slots: [] });
    await expect(page.locator('.hint')).toBeVisible();
    await expectNothing(page, `${lang} no times`);
    await page.route('**/embed/v1/slots*', (route) => route.abort());
    for (let months = 0; months < 2; months += 1) await page.locator('[data-press=later]').click();
    await expect(page.locator('[data-press=retry]')).toBeVisible();
    await expectNothing(page, `${lang} times that could not be loaded`);
    await page.unrouteAll();
  }
});

test('what a screen reader is told of the first step', async ({ page, world }) => {
  await world.seed();
  await stage(page, world, { slots: halfHours(FREE, 2) });
  const widget = page.locator('cupo-booking');
  await expect(widget).toMatchAriaSnapshot(`
    - heading [level=2]
    - 'button "Next free time: Tuesday 16 February, 9:00"'
    - radiogroup "View":
      - radio "Month" [checked]
      - radio "Week"
      - radio "List"
    - heading "February 2027" [level=3]
    - button "Previous month" [disabled]
    - button "Next month"
    - grid "February 2027":
      - row:
        - columnheader "Monday"
        - columnheader "Tuesday"
        - columnheader "Wednesday"
        - columnheader "Thursday"
        - columnheader "Friday"
        - columnheader "Saturday"
        - columnheader "Sunday"
      - row:
        - gridcell "Monday 1 February":
          - button "Monday 1 February" [disabled]
      - row
      - row:
        - gridcell "Monday 15 February"
        - gridcell "Tuesday 16 February" [selected]:
          - button "Tuesday 16 February"
      - row
    - heading "Tuesday 16 February" [level=3]
    - group "Tuesday 16 February":
      - button "9:00"
      - button "9:30"
    - button "Time zone Madrid GMT+1"
    - status
  `);
  await page.getByRole('button', { name: /^Time zone/ }).click();
  await page.locator('.zones input').fill('lisbon');
  await expect(page.locator('.zone')).toMatchAriaSnapshot(`
    - button "Time zone Madrid GMT+1" [expanded]
    - combobox "Search for a city" [expanded]
    - listbox "Time zone":
      - option "Lisbon 12:00 · GMT+0" [selected]
  `);
});

test('the keyboard alone gets through the first step, in the order of what is seen', async ({ page, world }) => {
  await world.seed();
  await stage(page, world, { body: (widget) => `<a href="#before">Before</a>${widget}` });
  await expect(slots(page).first()).toBeVisible();
  await page.getByRole('link', { name: 'Before' }).focus();
  const order: string[] = [];
  for (let step = 0; step < 7; step += 1) {
    await page.keyboard.press('Tab');
    order.push(await focused(page));
  }
  expect(order).toEqual(['soonest', 'view', 'earlier', 'later', '2027-02-16', '2027-02-16T08:00:00Z', '2027-02-16T08:30:00Z']);
  // Each shows that it has the focus.
  await page.keyboard.press('Shift+Tab');
  const outline = await slots(page).first().evaluate((slot) => getComputedStyle(slot).outlineWidth);
  expect(outline).toBe('2px');
  await page.keyboard.press('Shift+Tab');
  for (const expected of ['2027-02-17', '2027-02-18']) {
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => focused(page)).toBe(expected);
  }
  for (const key of ['Enter', 'Tab', 'Tab', 'Enter']) await page.keyboard.press(key);
  await expect(page.getByText('Thursday 18 February, 9:30')).toBeVisible();
  await expect.poll(() => focused(page)).toBe('H3');
});

test('the second and the third step are accessible, at every size, light, dark and in forced colours', async ({ page, world }) => {
  await world.seed();
  for (const [lang, width, colorScheme] of [['en', 1180, 'light'], ['ar', 390, 'dark'], ['es', 768, 'dark']] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    const { answerWith, submit, fill, begin, book, press } = steps(page, world, { lang });
    /** Nothing to find, enough contrast, targets for a finger. */
    const check = async (what: string, ...texts: string[]) => {
      await expectNothing(page, `${lang} ${what}`);
      await expectTargets(page, `${lang} ${what}`);
      for (const text of texts) expect((await contrast(page, text)).contrast, `${lang} ${what} ${text}`).toBeGreaterThanOrEqual(4.5);
      await page.emulateMedia({ forcedColors: 'active' });
      await expectNothing(page, `${lang} ${what} in forced colours`);
      await page.emulateMedia({ forcedColors: 'none' });
    };
    await begin(ASKING);
    await submit();
    await expect(page.locator('.problem').first()).not.toBeEmpty();
    await page.getByRole('checkbox').check();
    await check('details', '.label', '.help', '.problem', '.optional', '.row:has(:checked) span', '.tel span', '.main', '.back');
    await begin({}, 75);
    await fill();
    await check('countdown', '.kept p', '.kept button');
    await answerWith(503, {});
    await submit();
    await expect(page.locator('.notice')).toBeVisible();
    await check('failure', '.notice', '.main');
    await book();
    await check('confirmation', '.with', '.date', '.hours', '.facts .fact span', '.facts a', '.sent', '.seal', '[data-press=cancel]', '.changes p a');
    await press('cancel');
    await check('cancelling', '.danger');
    await page.locator('.danger').hover();
    expect((await contrast(page, '.danger')).contrast, `${lang} .danger:hover`).toBeGreaterThanOrEqual(4.5);
    await answerWith(200, { ...APPOINTMENT, status: 'cancelled', series: [] });
    await submit();
    await expect(page.locator('.seal.over')).toBeVisible();
    await check('cancelled', '.over .hours', '.main');
  }
});

test('what a screen reader is told of the second and the third step', async ({ page, world }) => {
  await world.seed();
  const { begin, book, press } = steps(page, world);
  const widget = page.locator('cupo-booking');
  await begin(ASKING);
  await expect(widget).toMatchAriaSnapshot(`
    - paragraph: Demo Studio
    - heading "Introduction" [level=2]
    - paragraph: 30 min
    - paragraph: We call you
    - paragraph: Tuesday 16 February, 9:00
    - paragraph: Half an hour to get to know each other.
    - heading "Your details" [level=3]
    - text: Name
    - textbox "Name"
    - text: E-mail
    - textbox "E-mail"
    - text: Telephone +34
    - textbox "Telephone"
    - text: What is it about?
    - paragraph: A sentence is enough.
    - textbox "What is it about?"
    - radiogroup "Which size?":
      - paragraph: Which size?
      - radio "Small"
      - text: Small
      - radio "Large"
      - text: Large
    - checkbox "I agree to the terms"
    - text: I agree to the terms Notes optional
    - textbox "Notes optional"
    - button "Back"
    - button "Confirm booking"
    - status
    - status
  `);
  for (const name of [/^Name$/, /^E-mail$/, /^Telephone$/, /^What is it about/]) await expect(page.getByRole('textbox', { name })).toHaveAttribute('aria-required', 'true');
  await book();
  await expect(widget).toMatchAriaSnapshot(`
    - paragraph: Demo Studio
    - heading "Introduction" [level=2]
    - paragraph: 30 min
    - paragraph: Half an hour to get to know each other.
    - heading "Your appointment is confirmed" [level=3]
    - paragraph: With Ana Ríos
    - paragraph: Tuesday 16 February
    - paragraph: 9:00 – 9:30
    - paragraph: Madrid · GMT+1
    - paragraph: Google Meet
    - paragraph:
      - link "meet.google.com/abc-defg-hij"
    - paragraph: All of this is also on its way to flora@example.net.
    - paragraph: The other dates
    - list:
      - listitem:
        - link "Tuesday 23 February, 9:00"
    - paragraph: Add to calendar
    - link "Google"
    - link "Outlook"
    - link "Other (.ics)"
    - paragraph: Change of plans?
    - button "Reschedule"
    - button "Cancel appointment"
    - paragraph:
      - link "Page of your appointment"
    - status
  `);
  await press('cancel');
  await expect(widget).toMatchAriaSnapshot(`
    - heading "Cancel this appointment?" [level=3]
    - paragraph: Tuesday 16 February, 9:00
    - text: Reason optional
    - textbox "Reason optional"
    - checkbox "The later dates of the series too"
    - text: The later dates of the series too
    - button "Back"
    - button "Cancel it now"
    - status
    - status
  `);
});

/** What has the focus, by its part in the booking. */
const held = (page: Page) =>
  page.evaluate(() => {
    const active = document.activeElement?.shadowRoot?.activeElement;
    const free = active?.matches('[data-day]:not([aria-disabled])') && 'day';
    const slot = active?.matches('[data-start]') && 'slot';
    return free || slot || active?.getAttribute('autocomplete') || (active?.matches('.main') && 'main') || active?.tagName || '';
  });

for (const [lang, width] of [['en-GB', 1280], ['es', 390], ['ar', 768]] as const)
  test(`nothing but the keyboard books, from the page to the confirmation, in ${lang}`, async ({ page, world }) => {
    await world.seed();
    await page.setViewportSize({ width, height: 800 });
    await openSite(page, world, `<a href="#nowhere">A link of the page</a>${script(world)}<cupo-booking event="demo/intro"></cupo-booking>`, { lang });
    await expect(slots(page).or(page.locator('[data-press=seek]')).first()).toBeVisible();
    await expect(page.locator('cupo-booking [aria-busy=true]')).toHaveCount(0);
    /** By the tabulator alone, and always with the focus in sight. */
    const tabTo = async (part: string) => {
      for (let presses = 0; (await held(page)) !== part; presses += 1) {
        expect(presses, `on the way to ${part}`).toBeLessThan(30);
        await page.keyboard.press('Tab');
        const { outline, isInSight } = await page.evaluate(() => {
          const active = document.activeElement?.shadowRoot?.activeElement ?? document.activeElement!;
          const drawn = active.closest('.tel') ?? (active.matches('[type=radio]') ? active.nextElementSibling ?? active : active);
          const { top, bottom } = active.getBoundingClientRect();
          return { outline: getComputedStyle(drawn).outlineStyle, isInSight: bottom > 0 && top < innerHeight };
        });
        expect(outline, `${part}, ${await held(page)}`).not.toBe('none');
        expect(isInSight, `${part}, ${await held(page)}`).toBe(true);
      }
    };
    await tabTo('day');
    await page.keyboard.press('Enter');
    await tabTo('slot');
    await page.keyboard.press('Enter');
    await expect.poll(() => held(page)).toBe('H3');
    await tabTo('name');
    await page.keyboard.type('Kay Keyboard');
    await tabTo('email');
    await page.keyboard.type('kay@example.net');
    await tabTo('main');
    await page.keyboard.press('Enter');
    await expect(page.locator('.confirmed .seal')).toBeVisible();
    await expect.poll(() => held(page)).toBe('H3');
    await expect.poll(async () => (await world.events()).length).toBe(1);
  });

test('at 400 % zoom nothing covers what is filled in, and nothing scrolls sideways', async ({ page, world }) => {
  await world.seed();
  await page.setViewportSize({ width: 320, height: 256 });
  const { begin, book, press } = steps(page, world);
  await begin({ ...ASKING, most_occurrences: 4 }, 75);
  await expect(page.locator('.kept')).toBeAttached();
  await expectToFit(page, 'details');
  await expectTargets(page, 'details');
  for (const field of await page.locator('form.details').locator('input, select, textarea, button').all()) {
    await field.focus();
    const isCovered = await field.evaluate((element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      const above = (element.getRootNode() as ShadowRoot).elementFromPoint(left + width / 2, Math.min(top + height / 2, innerHeight - 1));
      return !element.contains(above) && !above?.closest('label')?.contains(element);
    });
    expect(isCovered, await field.evaluate((element) => element.outerHTML.slice(0, 90))).toBe(false);
  }
  await book();
  await expectToFit(page, 'confirmation');
  await expectTargets(page, 'confirmation');
  await press('cancel');
  await expectToFit(page, 'cancelling');
});

test('in forced colours what is ticked, wrong and pressed can be told in the second step too', async ({ page, world }) => {
  await world.seed();
  await page.emulateMedia({ forcedColors: 'active' });
  const { begin, submit } = steps(page, world);
  await begin(ASKING);
  await submit();
  // The boxes are the system's own, which shows what is ticked.
  for (const type of ['radio', 'checkbox']) expect(await page.locator(`.row [type=${type}]`).first().evaluate((box) => getComputedStyle(box).appearance), type).toBe('auto');
  for (const bordered of ['[name=name]', '.tel', 'textarea', '.row', '.main', '.back'])
    expect(await page.locator(bordered).first().evaluate((element) => getComputedStyle(element).borderTopStyle), bordered).toBe('solid');
  await expect(page.locator('.problem').first()).toBeVisible();
});

test('at 400 % zoom everything is there without scrolling sideways', async ({ page, world }) => {
  await world.seed();
  // What 1280 by 1024 pixels are at 400 %.
  await page.setViewportSize({ width: 320, height: 256 });
  await stage(page, world, { event: { durations: [30, 60] } });
  for (const view of ['week', 'list', 'month']) {
    await page.locator(`input[value=${view}]`).check();
    await expect(slots(page).first()).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
  }
  await slots(page).first().click();
  await fillDetails(page, 'Zoë Zoom', 'zoe@example.net');
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
});

test('in forced colours what is chosen, free and possible can still be told apart', async ({ page, world }) => {
  await world.seed();
  await page.emulateMedia({ forcedColors: 'active' });
  await stage(page, world, { event: { durations: [30, 60] } });
  const style = (selector: string) =>
    page.locator(selector).first().evaluate((element) => {
      const { backgroundColor, borderTopWidth, color } = getComputedStyle(element);
      return { backgroundColor, borderTopWidth, color };
    });
  const [chosen, free, full] = [await style('[aria-selected=true] .day'), await style('[data-day="2027-02-18"]'), await style('[data-day="2027-02-17"]')];
  expect(chosen.backgroundColor).not.toBe(free.backgroundColor);
  expect([free.borderTopWidth, full.borderTopWidth]).toEqual(['1px', '0px']);
  expect(full.color).not.toBe(free.color);
  for (const choice of ['.lengths', '.switch']) {
    const [made, other] = [await style(`${choice} :checked + span`), await style(`${choice} input:not(:checked) + span`)];
    expect(made.backgroundColor, choice).not.toBe(other.backgroundColor);
  }
});

test('the public pages are accessible', async ({ browser, world }) => {
  await world.seed();
  for (const locale of ['en-GB', 'es-ES']) {
    const context = await browser.newContext({ locale, javaScriptEnabled: true, viewport: { width: 390, height: 844 } });
    const page = await context.newPage();
    await page.goto(`${world.cupo}/demo/intro`);
    await openFreeDay(page);
    await expectNothingSerious(page, `${locale} public page`);
    await book(page, 'Axel Access', `axel-${locale}@example.net`);
    const href = await page.locator('a[href*="/manage/"]').first().getAttribute('href');
    await page.goto(href ?? '');
    await expectNothingSerious(page, `${locale} manage page`);
    await page.goto(`${world.cupo}/demo/nothing-here`);
    await expectNothingSerious(page, `${locale} not found`);
    await context.close();
  }
});

test('the public pages are accessible without the widget', async ({ browser, world }) => {
  await world.seed();
  for (const [locale, width] of [['en-GB', 390], ['es-ES', 1180]] as const) {
    const context = await browser.newContext({ locale, viewport: { width, height: 900 } });
    const page = await context.newPage();
    await page.route('**/embed.js', (route) => route.abort());
    const pick = async (event: string) => {
      await page.goto(`${world.cupo}/demo/${event}`);
      if ((await page.locator('a[href*="day="]').count()) === 0) await page.locator('a.turn').last().click();
      await page.locator('a[href*="day="]').last().click();
      await expectNothingSerious(page, `${locale} ${event} times`);
      await page.locator('a[href*="slot="]').last().click();
    };
    const send = () => page.locator('form#details button[type=submit]').click();
    await page.goto(`${world.cupo}/demo`);
    await expectNothingSerious(page, `${locale} list`);
    for (const event of ['coaching', 'visit', 'class']) await pick(event);

    await pick('portrait');
    await page.locator('form#details').evaluate((form: HTMLFormElement) => (form.noValidate = true));
    await send();
    await expectNothingSerious(page, `${locale} questions with problems`);

    await pick('lesson');
    await page.locator('#name').fill('Axel Access');
    await page.locator('#email').fill(`axel-${locale}@example.net`);
    await page.locator('#frequency').selectOption('weekly');
    await send();
    await expectNothingSerious(page, `${locale} dates of a series`);
    await send();
    await expectNothingSerious(page, `${locale} booked series`);
    await page.locator('a[href*="step=cancel"]').click();
    await expectNothingSerious(page, `${locale} cancelling`);
    await page.goBack();
    await page.locator('a[href*="step=reschedule"]').click();
    await page.locator('a[href*="slot="]').first().click();
    await expectNothingSerious(page, `${locale} rescheduling`);
    await context.close();
  }
});

test('every page of the dashboard is accessible', async ({ browser, world }) => {
  const demo = await world.seed();
  for (const [locale, width] of [['en-GB', 1280], ['es-ES', 390]] as const) {
    const context = await browser.newContext({ locale, viewport: { width, height: 900 } });
    const page = await context.newPage();
    await page.goto(world.site);
    await book(page, 'Axel Access', `axel-${locale}@example.net`);
    for (const path of ['/', '/sign-up', '/sign-in', '/docs', '/docs/registering-microsoft']) {
      await page.goto(world.cupo + path);
      await expectNothingSerious(page, `${locale} ${path}`);
    }
    await page.goto(`${world.cupo}/sign-in`);
    await page.locator('#email').fill(demo.email);
    await page.locator('#password').fill(demo.password);
    await page.locator('main form button[type=submit]').click();
    await expect(page).toHaveURL(/\/dashboard$/);
    await page.goto(`${world.cupo}/dashboard/event-types`);
    const eventType = await page.locator('main a[href^="/dashboard/event-types/"]:not([href$="/new"])').first().getAttribute('href');
    await page.goto(`${world.cupo}/dashboard/appointments`);
    const appointment = await page.locator('main a[href^="/dashboard/appointments/"]').first().getAttribute('href');
    await page.goto(`${world.cupo}/dashboard/availability`);
    const schedule = await page.locator('section[aria-labelledby="schedules"] h3 a').first().getAttribute('href');
    const connecting = ['', '/nextcloud', '/icloud', '/fastmail', '/caldav', '/feed'].map((name) => `/calendars/connect${name}`);
    const pages = ['', '/calendars', ...connecting, '/credentials', '/availability', '/availability/new', '/event-types', '/event-types/new', '/appointments', '/appointments?filter=past', '/appointments?filter=cancelled', '/sites', '/hosts'];
    const looks = [`${eventType}/why`, `${eventType}/why?at=10:00&show=day`, `${eventType}/clock-change`];
    for (const path of [...pages.map((name) => `/dashboard${name}`), schedule, eventType, ...looks, appointment]) {
      await page.goto(world.cupo + path);
      await expect(page.locator('h1')).toBeVisible();
      await expectNothingSerious(page, `${locale} ${path}`);
    }
    await context.close();
  }
});
