// node widget.mjs <sample site> <Cupo> [loads]: how soon a visitor sees slots and can use them, on a machine that is four times
// slower than this one, behind a network of 1.6 Mbit/s with 150 ms to an answer, each time with an empty cache. Once with the
// first view of the server and once without, in turns. Times are from the beginning of the navigation.

import { chromium } from 'playwright-core';
import { FLAGS, program } from './chromium.mjs';

const [site, cupo, loads = '5'] = process.argv.slice(2);
const CPU_SLOWDOWN = 4;
const NETWORK = { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 };
const PHONE = { viewport: { width: 412, height: 823 }, deviceScaleFactor: 1.75, isMobile: true, hasTouch: true };
/** So long after it is ready nothing of the widget may move or block any more. */
const SETTLED_MS = 1_500;

/** Watches the page from within. What a frame shows is painted before the task that the frame leaves behind. */
const watch = ({ variant, presses }) => {
  const seen = (window.seen = { shift: 0, tasks: [] });
  const painted = (name) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      seen[name] ??= performance.now();
      if (name === 'slots' && presses) slot()?.click();
    };
    port2.postMessage(0);
  };
  const root = () => document.querySelector('cupo-booking')?.shadowRoot;
  const slot = () => root()?.querySelector('[data-start]');
  const look = () => {
    if (!seen.slots && slot()) painted('slots');
    else if (!seen.acted && root()?.querySelector('[data-field]')) painted('acted');
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  document.addEventListener('cupo:ready', () => (seen.ready ??= performance.now()));
  const observe = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  observe('layout-shift', (entry) => (seen.shift += entry.hadRecentInput ? 0 : entry.value));
  observe('longtask', (entry) => seen.tasks.push([entry.startTime, entry.duration]));
  if (variant === 'without') {
    // Before the script has arrived, which takes another journey over the network.
    const mark = () => document.querySelectorAll('cupo-booking').forEach((widget) => (widget.dataset.firstView = 'off'));
    new MutationObserver(mark).observe(document, { childList: true, subtree: true });
  }
};

/** One visit: what was seen, and what went over the network for the widget until it could be used. */
const visit = async (browser, variant, presses) => {
  const context = await browser.newContext({ ...PHONE, locale: 'en-GB', timezoneId: 'Europe/Madrid' });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.emulateNetworkConditions', NETWORK);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN });
  const requests = new Map();
  let began;
  devtools.on('Network.requestWillBeSent', ({ requestId, timestamp, type, request }) => {
    if (type === 'Document') began ??= timestamp;
    if (request.url.startsWith(cupo)) requests.set(requestId, { url: request.url });
  });
  devtools.on('Network.dataReceived', ({ requestId, encodedDataLength }) => {
    const request = requests.get(requestId);
    if (request) request.content = (request.content ?? 0) + encodedDataLength;
  });
  devtools.on('Network.loadingFinished', ({ requestId, timestamp, encodedDataLength }) => {
    const request = requests.get(requestId);
    if (request) Object.assign(request, { at: (timestamp - began) * 1000, bytes: encodedDataLength });
  });
  await page.addInitScript(watch, { variant, presses });
  await page.goto(site, { waitUntil: 'commit' });
  const last = presses ? 'acted' : 'ready';
  await page.waitForFunction((last) => window.seen?.[last] && window.seen.slots, last, { timeout: 60_000 });
  await page.waitForTimeout(SETTLED_MS);
  const seen = await page.evaluate(() => window.seen);
  await devtools.send('HeapProfiler.collectGarbage');
  const heap = await devtools.send('Runtime.getHeapUsage');
  await context.close();
  // What had not come by then, such as the neighbour month, was not needed.
  const needed = [...requests.values()].filter(({ at }) => at < seen[last]);
  // Before its script has arrived the page is busy with itself.
  const arrived = Math.min(...[...requests.values()].map(({ at }) => at));
  const own = seen.tasks.filter(([began]) => began >= arrived).map(([, duration]) => duration);
  return {
    slots: seen.slots,
    ready: seen.ready,
    acted: seen.acted,
    requests: needed.length,
    bytes: needed.reduce((sum, { content }) => sum + content, 0),
    bytesWithHeaders: needed.reduce((sum, { bytes }) => sum + bytes, 0),
    needed,
    shift: seen.shift,
    longTasks: own.length,
    longest: Math.max(0, ...own),
    heap: heap.usedSize + (heap.backingStorageSize ?? 0),
  };
};

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const browser = await chromium.launch({ executablePath: program(), args: FLAGS });
const VARIANTS = ['with', 'without'];
const visits = { with: [], without: [] };
const presses = { with: [], without: [] };
try {
  // The first visit of all wakes the server and the browser up, and the calendar is read.
  for (const variant of VARIANTS) await visit(browser, variant, false);
  for (let load = 0; load < Number(loads); load++) {
    for (const variant of VARIANTS) {
      visits[variant].push(await visit(browser, variant, false));
      presses[variant].push(await visit(browser, variant, true));
    }
  }
} finally {
  await browser.close();
}

const figures = (variant) => {
  const of = (key) => median(visits[variant].map((it) => it[key]));
  return {
    slots: Math.round(of('slots')),
    interactive: Math.round(median(presses[variant].map((it) => it.acted))),
    ready: Math.round(of('ready')),
    bytes: of('bytes'),
    bytesWithHeaders: of('bytesWithHeaders'),
    requests: of('requests'),
    shift: Number(of('shift').toFixed(4)),
    longTasks: of('longTasks'),
    longest: Math.round(of('longest')),
    heap: of('heap'),
  };
};
const [first, none] = VARIANTS.map(figures);

console.log(`The widget on ${site}, Chromium ${browser.version()}, ${CPU_SLOWDOWN}x slower, 1.6 Mbit/s, 150 ms; medians of ${loads} loads`);
for (const { url, content } of visits.with.at(-1).needed) console.log(`  ${String(content).padStart(7)} bytes  ${url.replace(cupo, '').split('?')[0]}`);
const rows = [
  ['first slots painted', 'slots', 'ms', 900],
  ['interactive: a press made then has acted', 'interactive', 'ms', 1600],
  ['the code is there (cupo:ready)', 'ready', 'ms'],
  ['bytes until then, as they are sent', 'bytes', 'B', 65_536],
  ['the same with the headers', 'bytesWithHeaders', 'B'],
  ['requests until then', 'requests', '', 5],
  ['layout shift', 'shift', '', 0],
  ['tasks over 50 ms', 'longTasks', '', 0],
  ['longest task over 50 ms', 'longest', 'ms'],
  ['heap afterwards', 'heap', 'B'],
];
console.log(`${''.padEnd(42)}${'with first view'.padStart(17)}${'without'.padStart(12)}${'aim'.padStart(10)}`);
for (const [name, key, unit, aim] of rows) {
  const cell = (value) => `${value}${unit && ` ${unit}`}`;
  console.log(`${name.padEnd(42)}${cell(first[key]).padStart(17)}${cell(none[key]).padStart(12)}${(aim === undefined ? '' : cell(aim)).padStart(10)}`);
}
console.log(`first_slots_ms=${first.slots}`);
console.log(`interactive_ms=${first.interactive}`);
console.log(`requests=${first.requests}`);
console.log(`layout_shift=${first.shift}`);
console.log(`long_tasks=${first.longTasks}`);
