// node lighthouse.mjs <sample site> <Cupo> [runs]: Lighthouse's scores of the site as on a phone, with what costs points. The run
// with the median performance counts.

import { launch } from 'chrome-launcher';
import lighthouse from 'lighthouse';
import { FLAGS, program } from './chromium.mjs';

const [site, , runs = '3'] = process.argv.slice(2);
const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo'];

const results = [];
for (let run = 0; run < Number(runs); run++) {
  const chrome = await launch({ chromePath: program(), chromeFlags: ['--headless=new', ...FLAGS] });
  try {
    const { lhr } = await lighthouse(site, { port: chrome.port, logLevel: 'error', onlyCategories: CATEGORIES });
    if (lhr.runtimeError) throw new Error(lhr.runtimeError.message);
    results.push(lhr);
  } finally {
    chrome.kill();
  }
}
const performance = (result) => result.categories.performance.score;
const result = results.toSorted((a, b) => performance(a) - performance(b))[results.length >> 1];

console.log(`Lighthouse ${result.lighthouseVersion} on ${site}, as on a phone, the median of ${runs} runs`);
for (const category of Object.values(result.categories)) {
  const short = category.auditRefs.filter(({ id, weight }) => weight > 0 && (result.audits[id].score ?? 1) < 1);
  for (const { id } of short) {
    const { title, displayValue = '', score } = result.audits[id];
    console.log(`  ${category.title}: ${title} ${displayValue} (${score})`);
    for (const item of result.audits[id].details?.items?.slice(0, 3) ?? []) {
      if (item.node) console.log(`    ${item.node.selector} ${item.node.snippet}`);
      else if (item.description || item.url) console.log(`    ${item.description ?? item.url}`);
    }
  }
}
for (const id of CATEGORIES) {
  console.log(`lighthouse_${id.replace('-', '_')}=${Math.round(result.categories[id].score * 100)}`);
}
