import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

// The browser of the system where there is one; without it, the one that Playwright brings.
const chromium = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';

export default defineConfig({
  testDir: '.',
  outputDir: 'results/artifacts',
  // Every spec drives one server and one set of simulators of its own; more would starve a two-core machine.
  workers: 1,
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  timeout: 180_000,
  expect: { timeout: 15_000 },
  reporter: [['list'], ['json', { outputFile: 'results/report.json' }]],
  use: {
    browserName: 'chromium',
    headless: true,
    locale: 'en-GB',
    timezoneId: 'Europe/Madrid',
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: existsSync(chromium) ? chromium : undefined,
      args: [
        '--no-sandbox',
        // A page that a test writes itself has no address: without this it may not load anything of this machine.
        '--disable-features=LocalNetworkAccessChecks',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
