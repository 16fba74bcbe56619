// The README's pictures: made by the tests, kept when asked for, so that a run leaves the repository as it was.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';

const directory = join(dirname(fileURLToPath(import.meta.url)), '..', 'screenshots');

/** Writes `end2end/screenshots/NAME.png` when `KEEP_SCREENSHOTS` is set. */
export async function keepScreenshot(page: Page, name: string) {
  if (process.env.KEEP_SCREENSHOTS) {
    await page.screenshot({ path: join(directory, `${name}.png`), animations: 'disabled' });
  }
}
