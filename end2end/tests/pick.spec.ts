// The first step of the widget: its views, time zones, keyboard, room and themes.

import type { Page } from '@playwright/test';
import { openSite } from './site';
import { contrast, focused, FREE, halfHours, stage } from './stage';
import { expectTargets, expectToFit } from './steps';
import { freeDays, openFreeDay, slots, starts } from './widget';
import { expect, test } from './world';

test.beforeEach(async ({ world }) => {
  await world.seed();
});

const view = (page: Page, name: string) => page.getByRole('radio', { name, exact: true });
const day = (page: Page, iso: string) => page.locator(`button[data-day="${iso}"]`);

test('month, week and list show the same free times', async ({ page, world }) => {
  await stage(page, world);
  await expect(day(page, '2027-02-16')).toBeVisible();
  expect(await starts(page)).toEqual(halfHours(['2027-02-16']));
  await expect(freeDays(page)).toHaveCount(4);

  await view(page, 'Week').check();
  await expect(page.locator('button[data-day]')).toHaveCount(7);
  expect(await starts(page)).toEqual(halfHours(['2027-02-16', '2027-02-18']));
  await page.getByRole('button', { name: 'Next week' }).click();
  expect(await starts(page)).toEqual(halfHours(['2027-02-22', '2027-02-23']));
  await page.getByRole('button', { name: 'Next week' }).click();
  await expect(page.getByRole('heading', { name: 'March 2027' })).toBeVisible();
  expect(await starts(page)).toEqual(halfHours(['2027-03-01', '2027-03-03']));

  await view(page, 'List').check();
  await expect(page.getByRole('grid')).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'Monday 1 March' })).toBeVisible();
  expect(await starts(page)).toEqual(halfHours(FREE.slice(4, 9)));
  await page.getByRole('button', { name: 'More days' }).click();
  expect(await starts(page)).toEqual(halfHours(FREE.slice(4)));
  await expect(page.getByRole('button', { name: 'More days' })).toHaveCount(0);

  await view(page, 'Month').check();
  await expect(page.getByRole('heading', { name: 'March 2027' })).toBeVisible();
  expect(await starts(page)).toEqual(halfHours(['2027-03-01']));
});

test('a page that comes into sight again the next day offers nothing that has passed', async ({ page, world }) => {
  await stage(page, world);
  await expect(day(page, '2027-02-15')).toHaveAttribute('aria-current', 'date');
  const asked: string[] = [];
  await page.route('**/embed/v1/slots*', (route) => {
    asked.push(new URL(route.request().url()).searchParams.get('from') ?? '');
    return route.abort();
  });
  await page.clock.setFixedTime('2027-02-17T08:00:00Z');
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await expect(page.getByRole('button', { name: 'Next free time: Thursday 18 February, 9:00' })).toBeVisible();
  expect(await starts(page)).toEqual(halfHours(['2027-02-18']));
  await expect(day(page, '2027-02-16')).toHaveAttribute('aria-disabled', 'true');
  await expect(day(page, '2027-02-17')).toHaveAttribute('aria-current', 'date');
  await expect(day(page, '2027-02-15')).not.toHaveAttribute('aria-current', /./);
  await expect.poll(() => asked).toContain('2027-02-01');
});

test('a week of two months waits for both, and asks again for the one that could not be had', async ({ page, world }) => {
  await stage(page, world, { slots: halfHours(['2027-02-24', '2027-04-02']), attributes: 'view="week"' });
  let fails = true;
  await page.route('**/embed/v1/slots*from=2027-04-01*', (route) => (fails ? route.abort() : route.fallback()));
  for (let week = 0; week < 5; week++) await page.getByRole('button', { name: 'Next week' }).click();
  await expect(page.getByRole('heading', { name: 'March 2027 – April 2027' })).toBeVisible();
  await expect(page.getByText('The free times could not be loaded.')).toBeVisible();
  await expect(page.getByText('No free times in this week.')).toHaveCount(0);
  fails = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(slots(page).first()).toBeVisible();
  expect(await starts(page)).toEqual(halfHours(['2027-04-02']));
});

test('the attribute chooses the view, and a time of it can be picked', async ({ page, world }) => {
  for (const [name, count] of [['week', 8], ['list', 16]] as const) {
    await stage(page, world, { attributes: `view="${name}"` });
    await expect(view(page, name === 'week' ? 'Week' : 'List')).toBeChecked();
    await expect(slots(page)).toHaveCount(count);
    await page.locator(`[data-start="${halfHours(['2027-02-18'])[1]}"]`).click();
    await expect(page.getByLabel(/^name/i)).toBeVisible();
    await expect(page.getByText('Thursday 18 February, 9:30')).toBeVisible();
    await page.unrouteAll();
  }
});

test('the next free time is one press away from every month, and going back leads to it', async ({ page, world }) => {
  await stage(page, world);
  const soonest = page.getByRole('button', { name: 'Next free time: Tuesday 16 February, 9:00' });
  await page.getByRole('button', { name: 'Next month' }).click();
  await expect(page.getByRole('heading', { name: 'March 2027' })).toBeVisible();
  await soonest.click();
  await expect(page.getByText('Tuesday 16 February, 9:00')).toBeVisible();
  await page.getByRole('button', { name: 'Back' }).click();
  await expect.poll(() => focused(page)).toBe('2027-02-16T08:00:00Z');
});

test('months beside the one in sight are there before anybody asks', async ({ page, world }) => {
  const asked = await stage(page, world);
  await expect.poll(() => asked.filter((path) => path.includes('from=2027-03-01')).length).toBe(1);
  const before = asked.length;
  await page.getByRole('button', { name: 'Next month' }).click();
  expect(await starts(page)).toEqual(halfHours(['2027-03-01']));
  await expect.poll(() => asked.slice(before)).toEqual([expect.stringContaining('from=2027-04-01')]);
});

test('a month without free times leads to the next one that has some', async ({ page, world }) => {
  await stage(page, world, { slots: halfHours(['2027-02-16', '2027-04-20']) });
  await page.getByRole('button', { name: 'Next month' }).click();
  await expect(page.locator('.hint').getByText('No free times in March 2027.')).toBeVisible();
  await page.getByRole('button', { name: 'Go to the next free time' }).click();
  await expect(page.getByRole('heading', { name: 'Tuesday 20 April' })).toBeVisible();
});

test('several lengths, the people and the seats left are choices of the first step', async ({ page, world }) => {
  const hosts = [{ id: 'u1', name: 'Ana' }, { id: 'u2', name: 'Ben' }];
  const asked = await stage(page, world, { seats: 3, event: { durations: [60, 15], hosts } });
  const lengths = page.getByRole('radiogroup', { name: 'Length' }).getByRole('radio');
  await expect(lengths).toHaveCount(2);
  await expect(page.getByRole('radio', { name: '1 h', exact: true })).toBeChecked();
  await page.getByRole('radio', { name: '15 min' }).check();
  await expect.poll(() => asked.at(-1)).toContain('duration=15');
  await expect(page.getByLabel('With whom').locator('option')).toHaveText(['Anyone', 'Ana', 'Ben']);
  await page.getByLabel('With whom').selectOption('Ben');
  await expect.poll(() => asked.at(-1)).toContain('host=u2');
  await expect(slots(page).first()).toContainText('3 seats left');
});

test('a zone is found by typing and shows city, offset and the time that it is there', async ({ page, world }) => {
  await stage(page, world);
  const button = page.getByRole('button', { name: /^Time zone/ });
  await expect(button).toContainText('Madrid');
  await expect(button).toContainText('GMT+1');
  await button.click();
  const search = page.getByRole('combobox', { name: 'Search for a city' });
  await expect(search).toBeFocused();
  const options = page.getByRole('option');
  await expect.poll(() => options.count()).toBeGreaterThan(300);
  await expect(page.getByRole('option', { selected: true })).toHaveText('Madrid 13:00 · GMT+1');
  await page.keyboard.type('toky');
  await expect(options).toHaveText(['Tokyo 21:00 · GMT+9']);
  await search.fill('kolkata');
  await expect(options).toHaveText(['Kolkata 17:30 · GMT+5:30']);
  await search.fill('gmt+9');
  await expect(page.locator('[data-zone="Asia/Tokyo"]')).toBeVisible();
  await search.fill('atlantis');
  await expect(options).toHaveCount(0);
  await expect(page.locator('.zones').getByText('No such place was found.')).toBeVisible();
  await search.fill('new york');
  await page.keyboard.press('Enter');
  await expect(button).toBeFocused();
  await expect(button).toContainText('New York');
  await expect(slots(page).first()).toHaveText('3:00');
});

test('the list of zones is gone through by arrow keys and left by Escape, Tab or a press elsewhere', async ({ page, world }) => {
  await stage(page, world);
  const button = page.getByRole('button', { name: /^Time zone/ });
  const search = page.getByRole('combobox');
  const pointed = () => page.getByRole('option', { selected: true }).getAttribute('data-zone');
  await button.press('Enter');
  await expect(page.getByRole('option').first()).toBeAttached();
  const [before, own, after] = await page.getByRole('option').evaluateAll((options) => {
    const place = options.findIndex((option) => option.getAttribute('data-zone') === 'Europe/Madrid');
    return [-1, 0, 1].map((more) => options[place + more]?.getAttribute('data-zone'));
  });
  await expect.poll(pointed).toBe(own);
  await page.keyboard.press('ArrowDown');
  await expect.poll(pointed).toBe(after);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await expect.poll(pointed).toBe(before);
  const id = await page.getByRole('option', { selected: true }).getAttribute('id');
  await expect(search).toHaveAttribute('aria-activedescendant', id ?? '');
  await expect(page.getByRole('option', { selected: true })).toBeInViewport();
  await page.keyboard.press('Escape');
  await expect(search).toHaveCount(0);
  await expect(button).toBeFocused();

  await button.click();
  await page.keyboard.press('Shift+Tab');
  await expect(search).toHaveCount(0);
  await button.click();
  await expect(search).toBeFocused();
  await button.click();
  await expect(search).toHaveCount(0);
  await button.click();
  await page.locator('[data-zone="Africa/Cairo"]').click();
  await expect(button).toContainText('Cairo');
  await expect(button).toBeFocused();
});

test('hours are written with 12 or 24 by the language', async ({ page, world }) => {
  const late = ['2027-02-16T14:30:00Z'];
  for (const [lang, text] of [['en-US', /^3:30\sPM$/], ['en-GB', /^15:30$/], ['es-ES', /^15:30$/], ['ar-EG', /^٣:٣٠ م$/]] as const) {
    await stage(page, world, { slots: late, lang });
    await expect(slots(page).first()).toHaveText(text);
    await page.unrouteAll();
  }
});

test('where it is another day for the host, that day is named', async ({ page, world }) => {
  await stage(page, world, { slots: ['2027-02-17T06:00:00Z', '2027-02-17T09:00:00Z', '2027-02-17T12:00:00Z'] });
  await expect(page.getByText(/in Madrid/)).toHaveCount(0);
  await page.getByRole('button', { name: /^Time zone/ }).click();
  await page.locator('.zones input').fill('honolulu');
  await expect(page.getByRole('option')).toHaveCount(1);
  await page.keyboard.press('Enter');
  const parts = page.getByRole('group', { name: 'Tuesday 16 February' }).locator('> *');
  await expect(parts).toHaveText(['Wednesday 17 February in Madrid', '20:00', '23:00']);
  await slots(page).first().click();
  await expect(page.getByText('Wednesday 17 February, 7:00 in Madrid')).toBeVisible();
});

test('a change of clocks between now and the slot is told, here and where the host is', async ({ page, world }) => {
  const sentence = page.getByText('The clocks in Madrid change on Sunday 28 March. The times here take that into account.');
  await stage(page, world);
  await expect(slots(page).first()).toBeVisible();
  await expect(sentence).toHaveCount(0);
  await page.getByRole('button', { name: 'Next month' }).click();
  await day(page, '2027-03-30').click();
  await expect(sentence).toBeVisible();
  await expect(slots(page).first()).toHaveText('10:00');
  // A visitor whose own clocks never change meets the host's.
  await page.getByRole('button', { name: /^Time zone/ }).click();
  await page.locator('.zones input').fill('bogota');
  await expect(page.getByRole('option')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(slots(page).first()).toHaveText('3:00');
  await expect(sentence).toBeVisible();
  await slots(page).first().click();
  await expect(page.getByLabel(/^name/i)).toBeVisible();
  await expect(sentence).toBeVisible();
});

test('the grid is gone through by the keys of a date picker, mirrored from right to left', async ({ page, world }) => {
  for (const [lang, later, earlier, weekStart, weekEnd] of [
    ['en-GB', 'ArrowRight', 'ArrowLeft', '2027-02-22', '2027-02-28'],
    ['ar-EG', 'ArrowLeft', 'ArrowRight', '2027-02-20', '2027-02-26'],
  ]) {
    await stage(page, world, { lang });
    await day(page, '2027-02-16').focus();
    for (const [key, expected] of [
      [later, '2027-02-17'],
      [earlier, '2027-02-16'],
      ['ArrowDown', '2027-02-23'],
      ['End', weekEnd],
      ['Home', weekStart],
      ['ArrowUp', '2027-02-15'],
      ['PageDown', '2027-03-15'],
      ['PageUp', '2027-02-15'],
      ['Shift+PageDown', '2027-06-30'],
      ['Shift+PageUp', '2027-02-15'],
    ]) {
      await page.keyboard.press(key);
      await expect.poll(() => focused(page), { message: `${lang} ${key}` }).toBe(expected);
      await expect(page.locator('[role=grid] [tabindex="0"]')).toHaveCount(1);
    }
    for (const expected of ['2027-02-16', '2027-02-17', '2027-02-18']) {
      await page.keyboard.press(later);
      await expect.poll(() => focused(page)).toBe(expected);
    }
    await page.keyboard.press('Enter');
    await expect(page.locator('[aria-selected=true] [data-day]')).toHaveAttribute('data-day', '2027-02-18');
    await page.unrouteAll();
  }
});

test('a live region tells how many times the chosen day has', async ({ page, world }) => {
  await stage(page, world, { slots: [...halfHours(FREE), '2027-02-26T10:00:00Z'] });
  const status = page.locator('[role=status]');
  await day(page, '2027-02-18').click();
  await expect(status).toHaveText('4 free times on Thursday 18 February.');
  await day(page, '2027-02-26').click();
  await expect(status).toHaveText('One free time on Friday 26 February.');
  await expect(page.locator('#month')).toHaveAttribute('aria-live', 'polite');
});

test('the focus is never lost', async ({ page, world }) => {
  await stage(page, world, { slots: halfHours(['2027-02-16', '2027-04-20', '2027-04-21', '2027-04-22', '2027-04-23', '2027-04-24', '2027-04-25']) });
  const press = async (name: string) => {
    await page.getByRole('button', { name }).focus();
    await page.keyboard.press('Enter');
  };
  await press('Next month');
  await press('Previous month');
  await expect(page.getByRole('button', { name: 'Previous month' })).toHaveAttribute('aria-disabled', 'true');
  expect(await focused(page)).toBe('earlier');
  await press('Next month');
  await press('Go to the next free time');
  await expect(page.getByRole('heading', { name: 'Tuesday 20 April' })).toBeVisible();
  expect(await focused(page)).toBe('month');
  await view(page, 'Month').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(view(page, 'List')).toBeFocused();
  await press('More days');
  await expect.poll(() => focused(page)).toBe('2027-04-25T08:00:00Z');

  await page.unroute('**/embed/v1/slots*');
  let isDown = true;
  await page.route('**/embed/v1/slots*', (route) => (isDown ? route.abort() : route.fulfill({ json: { slots: [] }, headers: { 'access-control-allow-origin': '*' } })));
  await press('Next month');
  await press('Next month');
  await expect(page.getByText('The free times could not be loaded.')).toBeVisible();
  isDown = false;
  await press('Try again');
  await expect(page.locator('.hint').getByText('No free times in June 2027.')).toBeVisible();
  expect(await focused(page)).toBe('month');
});

test('every view has room from 280 pixels on, with targets that a finger meets', async ({ page, world }) => {
  const hosts = [{ id: 'u1', name: 'Ana' }];
  for (const lang of ['en', 'es', 'ar']) {
    await stage(page, world, { lang, event: { durations: [30, 60, 90], hosts }, head: '<style>body{margin:0}</style>', slots: halfHours(FREE, 9) });
    for (const width of [280, 320, 390, 768, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      for (const name of ['month', 'week', 'list']) {
        await page.locator(`input[value=${name}]`).check();
        await page.locator('[data-press=zones]').click();
        await expect(page.locator('.zones [role=option]').first()).toBeAttached();
        await expectToFit(page, `${lang} ${width} ${name}`);
        await expectTargets(page, `${lang} ${width} ${name}`);
        await page.keyboard.press('Escape');
      }
    }
    await page.unrouteAll();
  }
});

test('days and times stand beside each other as soon as there is room', async ({ page, world }) => {
  await stage(page, world, { body: (widget) => `<div id="room">${widget}</div>` });
  const box = async (selector: string) => (await page.locator(selector).first().boundingBox())!;
  for (const [width, isBeside, isRow] of [[500, false, false], [640, true, false], [1000, true, true]] as const) {
    await page.locator('#room').evaluate((room, width) => (room.style.width = `${width}px`), width);
    const [about, calendar, times] = [await box('.about'), await box('.calendar'), await box('.times')];
    expect(times.x >= calendar.x + calendar.width, `${width}`).toBe(isBeside);
    expect(calendar.x >= about.x + about.width, `${width}`).toBe(isRow);
  }
});

const HOSTILE = ['#ffff00', '#ffffff', '#000000', '#f5f5f5', '#00ffff', '#ff00ff', '#808080', '#0000ff', '#ff0000', '#00ff00', 'rgb(255 255 255 / 40%)', 'oklch(0.9 0.2 120)'];

test('whatever accent and ground a site chooses, texts and buttons keep their contrast', async ({ page, world }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await stage(page, world, { event: { durations: [30, 60] } });
  const widget = page.locator('cupo-booking');
  await expect(slots(page).first()).toBeVisible();
  for (const theme of ['light', 'dark'])
    for (const ground of ['', '#eeeeee', '#ffe4b5', '#202020'])
      for (const accent of HOSTILE) {
        await page.locator('.cupo').evaluate((frame, theme) => (frame.dataset.theme = theme), theme);
        const style = `--cupo-accent: ${accent};${ground && `--cupo-ground: ${ground}; --cupo-ground-dark: ${ground}`}`;
        await widget.evaluate((element, style) => element.setAttribute('style', style), style);
        for (const text of ['.slot', '[data-day="2027-02-18"]', '[aria-selected=true] .day', '.lengths :checked + span', '.soonest', '.host', '.fact span', '.title', '.offset']) {
          const measured = await contrast(page, text);
          expect(measured.contrast, `${theme} ${ground} ${accent} ${text} ${JSON.stringify(measured)}`).toBeGreaterThanOrEqual(4.5);
        }
      }
});

test('an accent that needs no change is not changed', async ({ page, world }) => {
  await stage(page, world, { attributes: 'theme="light" style="--cupo-accent: #7c2d12"' });
  expect((await contrast(page, '.slot')).color).toBe('124,45,18,255');
  expect((await contrast(page, '[aria-selected=true] .day')).ground).toBe('124,45,18,255');
});

test('light, dark, by system and by the page', async ({ page, world }) => {
  const ground = async () => (await contrast(page, '.title')).ground;
  const [light, dark] = ['255,255,255,255', '20,26,25,255'];
  for (const [theme, system, expected] of [
    ['', 'light', light],
    ['', 'dark', dark],
    ['auto', 'dark', dark],
    ['light', 'dark', light],
    ['dark', 'light', dark],
  ] as const) {
    await page.emulateMedia({ colorScheme: system });
    await stage(page, world, { attributes: theme && `theme="${theme}"` });
    expect(await ground(), `${theme} ${system}`).toBe(expected);
    await page.unrouteAll();
  }
  await page.emulateMedia({ colorScheme: 'light' });
  const head = '<style>body{background:#3b0a45;color:#ffe9a8;font-family:Georgia,serif}</style>';
  await stage(page, world, { attributes: 'theme="page"', head });
  await expect.poll(ground).toBe('59,10,69,255');
  const title = await contrast(page, '.title');
  expect(title.color).toBe('255,233,168,255');
  expect(await page.locator('.title').evaluate((title) => getComputedStyle(title).fontFamily)).toContain('Georgia');
  for (const text of ['.slot', '[aria-selected=true] .day', '.host', '.offset']) expect((await contrast(page, text)).contrast, text).toBeGreaterThanOrEqual(4.5);
});

test('a site styles the parts that are named', async ({ page, world }) => {
  const parts = ['card', 'about', 'title', 'calendar', 'day', 'times', 'slot', 'zone'];
  const head = `<style>${parts.map((part, place) => `cupo-booking::part(${part}){outline:${place + 1}px solid red}`).join('')}</style>`;
  await stage(page, world, { head });
  await expect(slots(page).first()).toBeVisible();
  for (const [place, part] of parts.entries())
    expect(await page.locator(`[part~=${part}]`).first().evaluate((element) => getComputedStyle(element).outlineWidth), part).toBe(`${place + 1}px`);
});

test('nothing moves for those who wish it so', async ({ page, world }) => {
  const moving = () => page.locator('cupo-booking').evaluate((widget) => [...widget.shadowRoot!.querySelectorAll('*')].filter((element) => {
    const { animationName, transitionDuration } = getComputedStyle(element);
    return animationName !== 'none' || !/^0s(, 0s)*$/.test(transitionDuration);
  }).length);
  await stage(page, world);
  expect(await moving()).toBeGreaterThan(0);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  expect(await moving()).toBe(0);
});

test('real slots are picked in each view', async ({ page, world }) => {
  await page.addInitScript(() => sessionStorage.clear());
  for (const name of ['week', 'list']) {
    await openSite(page, world, `<cupo-booking event="demo/intro" view="${name}"></cupo-booking>`, { path: `/${name}`, head: `<script async src="${world.cupo}/embed.js"></script>` });
    await expect(slots(page).first()).toBeVisible();
    await slots(page).last().click();
    await expect(page.getByLabel(/^name/i)).toBeVisible();
  }
  await openSite(page, world, '<cupo-booking event="demo/intro"></cupo-booking>', { path: '/usual', head: `<script async src="${world.cupo}/embed.js"></script>` });
  expect((await openFreeDay(page)).length).toBeGreaterThan(0);
});
