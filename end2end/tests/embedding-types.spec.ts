// `embed.d.ts`: served, and true to what a page may write.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from './world';

const here = dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);

const RIGHT = `
  (window.Cupo ??= [] as never).push((cupo) => cupo.open("org/slug"));
  const end: () => void = Cupo.on("cupo:booked", ({ event, start, end }, { type }) => console.log(event, start, end, type));
  Cupo.open("org/slug", { lang: "es", theme: "page", view: "week", prefill: { name: "Ana", answers: { size: ["s", "m"] } }, hidden: { source: "blog" } })
    .then((element) => element.options);
  document.addEventListener("cupo:day-selected", (event) => event.detail.day.slice(0, 4));
  document.querySelector("cupo-booking")!.options = { tracking: { utm_source: "letter" } };
  const attributes: CupoBookingAttributes = { event: "org/slug", "prefill-name": "Ana", "full-page": true };
  end();
`;

const WRONG = [
  'Cupo.open("org/slug", { theme: "night" });',
  'Cupo.on("cupo:bought", () => {});',
  'Cupo.on("cupo:booked", ({ email }) => email);',
  'document.addEventListener("cupo:ready", (event) => event.detail.start);',
  'const attributes: CupoBookingAttributes = { view: "month" };',
];

/** What the compiler says of a source beside the types. */
async function compile(types: string, source: string): Promise<string> {
  const folder = await mkdtemp(join(here, 'results-types-'));
  try {
    await writeFile(join(folder, 'embed.d.ts'), types);
    await writeFile(join(folder, 'sample.ts'), `/// <reference path="./embed.d.ts" />\n${source}\nexport {};\n`);
    const flags = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom', '--types', '', '--ignoreConfig', join(folder, 'sample.ts')];
    return await run('npx', ['--no-install', 'tsc', ...flags], { cwd: here }).then(
      () => '',
      (error) => `${error.stdout}${error.stderr}`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('the types are served at their address and are those of the sources', async ({ request, world }) => {
  const answer = await request.get(`${world.cupo}/embed.d.ts`);
  expect(answer.headers()['content-type']).toContain('text/plain');
  expect(await answer.text()).toBe(await readFile(join(here, '..', '..', 'widget', 'embed.d.ts'), 'utf8'));
});

test('what the guide writes is accepted, and what does not exist is refused', async () => {
  const types = await readFile(join(here, '..', '..', 'widget', 'embed.d.ts'), 'utf8');
  expect(await compile(types, RIGHT)).toBe('');
  for (const source of WRONG) expect(await compile(types, source), source).toMatch(/error.*TS\d+/);
});
