// The calendar within pages that a framework draws: mounted, moved, removed and mounted again, without leaks.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CDPSession, Page } from '@playwright/test';
import { build } from 'esbuild';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { compile } from 'svelte/compiler';
import { openSite, script } from './site';
import { fillDetails, freeDays, openFreeDay, slots } from './widget';
import { expect, test, type World } from './world';

const here = dirname(fileURLToPath(import.meta.url));

/** Every application shows the calendar in the box `place` (`a`, `b` or none), and takes orders by `show`. */
const REACT = `
  import { createElement, useState } from 'react';
  import { createRoot } from 'react-dom/client';
  import { flushSync } from 'react-dom';
  function App() {
    const [place, setPlace] = useState('a');
    window.show = (next) => flushSync(() => setPlace(next));
    const calendar = createElement('cupo-booking', { event: 'demo/intro', 'prefill-email': 'frida@example.net', options: { prefill: { name: 'From React' } } });
    return createElement('main', null,
      createElement('section', { id: 'a' }, place === 'a' && calendar),
      createElement('section', { id: 'b' }, place === 'b' && calendar));
  }
  createRoot(document.querySelector('#app')).render(createElement(App));
`;

const VUE = `
  import { createApp, h, nextTick, ref } from 'vue';
  const place = ref('a');
  window.show = async (next) => { place.value = next; await nextTick(); };
  const calendar = () => h('cupo-booking', { event: 'demo/intro', 'prefill-email': 'frida@example.net', options: { prefill: { name: 'From Vue' } } });
  createApp({
    render: () => h('main', [h('section', { id: 'a' }, place.value === 'a' ? [calendar()] : []), h('section', { id: 'b' }, place.value === 'b' ? [calendar()] : [])]),
  }).mount('#app');
`;

const SVELTE = `
  <script>
    import { flushSync } from 'svelte';
    let place = $state('a');
    window.show = (next) => { place = next; flushSync(); };
    const options = { prefill: { name: 'From Svelte' } };
  </script>
  <main>
    <section id="a">{#if place === 'a'}<cupo-booking event="demo/intro" prefill-email="frida@example.net" {options}></cupo-booking>{/if}</section>
    <section id="b">{#if place === 'b'}<cupo-booking event="demo/intro" prefill-email="frida@example.net" {options}></cupo-booking>{/if}</section>
  </main>
`;

async function bundle(contents: string): Promise<string> {
  const made = await build({
    stdin: { contents, resolveDir: here, loader: 'js' },
    bundle: true,
    write: false,
    format: 'iife',
    conditions: ['browser'],
    define: { 'process.env.NODE_ENV': '"production"', __VUE_OPTIONS_API__: 'true', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false' },
  });
  return made.outputFiles[0].text;
}

async function bundleSvelte(source: string): Promise<string> {
  const { js } = compile(source, { generate: 'client', filename: 'App.svelte' });
  return bundle(`${js.code.replace('export default function App', 'function App')}\nimport { mount } from 'svelte';\nmount(App, { target: document.querySelector('#app') });`);
}

const show = (page: Page, place: string) => page.evaluate((place) => (window as unknown as { show: (place: string) => unknown }).show(place), place);

/** What the page holds on to once everything that can go is gone. */
async function held(session: CDPSession) {
  await session.send('HeapProfiler.collectGarbage');
  await session.send('HeapProfiler.collectGarbage');
  const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters');
  return { nodes, jsEventListeners };
}

async function mountAndRemove(page: Page, times: number) {
  for (let time = 0; time < times; time += 1) {
    await show(page, time % 2 ? 'a' : 'b');
    await expect(freeDays(page).first()).toBeVisible();
    await show(page, '');
    await expect(page.locator('cupo-booking')).toHaveCount(0);
  }
}

async function livesIn(page: Page, world: World, name: string, code: string) {
  await openSite(page, world, `<div id="app"></div><script>${code.replaceAll('</script', '<\\/script')}</script>`, { head: script(world).replace('async', '') });
  await openFreeDay(page.locator('#a'));
  await slots(page).first().click();
  // What the framework hands over as a property reaches the form.
  await expect(page.getByLabel(/^name/i)).toHaveValue(name);
  await expect(page.getByLabel(/^e-mail/i)).toHaveValue('frida@example.net');
  await page.getByRole('button', { name: 'Back' }).click();
  await show(page, 'b');
  await openFreeDay(page.locator('#b'));
  await expect(page.locator('cupo-booking')).toHaveCount(1);

  const session = await page.context().newCDPSession(page);
  await mountAndRemove(page, 2);
  const before = await held(session);
  await mountAndRemove(page, 6);
  const after = await held(session);
  // A few nodes are the browser's own; one calendar alone has hundreds, and a dozen listeners.
  expect(after.jsEventListeners - before.jsEventListeners).toBeLessThanOrEqual(2);
  expect(after.nodes - before.nodes).toBeLessThan(60);
}

test.beforeEach(async ({ world }) => {
  await world.seed();
});

test('in React', async ({ page, world }) => livesIn(page, world, 'From React', await bundle(REACT)));
test('in Vue', async ({ page, world }) => livesIn(page, world, 'From Vue', await bundle(VUE)));
test('in Svelte', async ({ page, world }) => livesIn(page, world, 'From Svelte', await bundleSvelte(SVELTE)));

test('where a server writes the page and React takes it over, the calendar and what was done in it stay', async ({ page, world }) => {
  const attributes = { event: 'demo/intro', 'prefill-email': 'frida@example.net' };
  const written = renderToString(createElement('main', null, createElement('cupo-booking', attributes)));
  const takeOver = await bundle(`
    import { createElement, useEffect } from 'react';
    import { hydrateRoot } from 'react-dom/client';
    window.complaints = [];
    function App() {
      useEffect(() => { window.isTakenOver = true; }, []);
      return createElement('main', null, createElement('cupo-booking', ${JSON.stringify(attributes)}));
    }
    window.takeOver = () => hydrateRoot(document.querySelector('#app'), createElement(App), { onRecoverableError: (error) => window.complaints.push(String(error)) });
  `);
  await openSite(page, world, `<div id="app">${written}</div><script>${takeOver.replaceAll('</script', '<\\/script')}</script>`, { head: script(world) });
  await openFreeDay(page);
  await slots(page).first().click();
  await page.getByLabel(/^name/i).fill('Sara Server');
  const before = await page.locator('cupo-booking').elementHandle();
  await page.evaluate('void takeOver()');
  await page.waitForFunction('window.isTakenOver');
  expect(await page.evaluate('complaints')).toEqual([]);
  expect(await before?.evaluate((element) => element === document.querySelector('cupo-booking'))).toBe(true);
  await expect(page.getByLabel(/^name/i)).toHaveValue('Sara Server');
  await expect(page.getByLabel(/^e-mail/i)).toHaveValue('frida@example.net');
});

test('a calendar that is moved within the page keeps what the visitor did', async ({ page, world }) => {
  await openSite(page, world, `<section id="a"><cupo-booking event="demo/intro"></cupo-booking></section><section id="b"></section>${script(world)}`);
  await openFreeDay(page);
  await slots(page).first().click();
  await fillDetails(page, 'Mona Moved', 'mona@example.net');
  await page.evaluate(() => document.querySelector('#b')?.append(document.querySelector('cupo-booking') as Element));
  await expect(page.locator('#b').getByLabel(/^name/i)).toHaveValue('Mona Moved');
  await page.getByRole('button', { name: /confirm booking/i }).click();
  await expect(page.getByText(/your appointment is confirmed/i)).toBeVisible();
});

test('inside another shadow root the calendar books, and the page hears of it', async ({ page, world }) => {
  const outer = `<x-outer></x-outer><script>
    window.booked = [];
    document.addEventListener('cupo:booked', (event) => booked.push(event.detail.event));
    customElements.define('x-outer', class extends HTMLElement {
      connectedCallback() {
        this.attachShadow({ mode: 'open' }).innerHTML =
          '<style>*{color:red!important;display:block}</style><div lang="es"><cupo-booking event="demo/intro"></cupo-booking></div>';
      }
    });
  </script>`;
  await openSite(page, world, outer + script(world));
  await openFreeDay(page);
  await slots(page).first().click();
  // The language of the nearest element around, through the shadow root.
  await page.getByLabel(/^nombre/i).fill('Oscar Outer');
  await page.getByLabel(/^correo/i).fill('oscar@example.net');
  await page.getByRole('button', { name: /confirmar/i }).click();
  await expect.poll(() => page.evaluate('booked')).toEqual(['demo/intro']);
});

test('popups leave nothing behind', async ({ page, world }) => {
  await openSite(page, world, `<button data-cupo-popup="demo/intro">Book</button>${script(world)}`);
  await page.waitForFunction(() => 'Cupo' in window);
  const session = await page.context().newCDPSession(page);
  const openAndClose = async (times: number) => {
    for (let time = 0; time < times; time += 1) {
      await page.getByRole('button', { name: 'Book' }).click();
      await expect(freeDays(page).first()).toBeVisible();
      await page.keyboard.press('Escape');
      await expect(page.locator('cupo-booking')).toHaveCount(0);
    }
  };
  await openAndClose(2);
  const before = await held(session);
  await openAndClose(5);
  const after = await held(session);
  expect(after.jsEventListeners - before.jsEventListeners).toBeLessThanOrEqual(2);
  expect(after.nodes - before.nodes).toBeLessThan(60);
});
