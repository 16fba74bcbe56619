// The browser to measure in: the one that was named, the system's, or the one that Playwright brings.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const SYSTEM = '/usr/bin/chromium';

/** The path of the program. */
export const program = () => process.env.CHROMIUM_BIN ?? (existsSync(SYSTEM) ? SYSTEM : chromium.executablePath());

/** Without a sandbox, which needs more than a container gives; nothing but the own sites is opened. */
export const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
