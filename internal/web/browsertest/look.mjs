// Opens every page that standard input lists in a real Chromium, and prints for each what is wrong with it:
// one JSON line of findings. Screenshots go into the folder SHOTS.
//
//   {"name": "today-ja", "url": "http://127.0.0.1:…/today", "locale": "ja-JP", "colours": "light", "cookies": [{"name": …, "value": …}]}
import { chromium } from 'playwright-core';
import axe from 'axe-core';
import { text } from 'node:stream/consumers';
import path from 'node:path';

const pages = JSON.parse(await text(process.stdin));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });

async function look(page) {
  const findings = [];
  const context = await browser.newContext({ locale: page.locale, colorScheme: page.colours, viewport: { width: 1366, height: 800 } });
  await context.addCookies(page.cookies.map((c) => ({ ...c, url: page.url })));
  // A page tells of what its own policy (CSP) refuses, and asks nobody else for anything.
  await context.addInitScript(() => {
    window.refused = [];
    document.addEventListener('securitypolicyviolation', (e) => window.refused.push(`${e.violatedDirective} ${e.blockedURI}`));
  });
  const tab = await context.newPage();
  const here = new URL(page.url).origin;
  tab.on('console', (m) => { if (['error', 'warning'].includes(m.type())) findings.push(`console: ${m.text()}`); });
  tab.on('pageerror', (e) => findings.push(`script: ${e.message}`));
  tab.on('request', (r) => { if (new URL(r.url()).origin !== here) findings.push(`asks elsewhere: ${r.url()}`); });
  try {
    const answer = await tab.goto(page.url);
    if (answer.status() !== 200) findings.push(`status ${answer.status()}`);
    await tab.screenshot({ path: path.join(process.env.SHOTS, page.name + '.png'), fullPage: true });
    findings.push(...(await tab.evaluate(() => window.refused)).map((r) => `policy: ${r}`));
    if (await tab.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)) findings.push('the page itself scrolls sideways');
    await tab.evaluate(axe.source);
    const found = await tab.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
    for (const v of found.violations) {
      findings.push(`${v.id} (${v.impact}): ${v.help}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`).join('; ')}`);
    }
    // Whoever uses the keyboard alone comes to the page's text by the first two keys.
    await tab.keyboard.press('Tab');
    await tab.keyboard.press('Enter');
    if (await tab.evaluate(() => document.activeElement?.id) !== 'main') findings.push('the skip link does not lead to the page');
  } catch (e) {
    findings.push(`cannot be looked at: ${e.message}`);
  }
  await context.close();
  console.log(JSON.stringify({ name: page.name, findings }));
}

const waiting = [...pages];
await Promise.all([1, 2].map(async () => { for (let p; (p = waiting.shift());) await look(p); }));
await browser.close();
