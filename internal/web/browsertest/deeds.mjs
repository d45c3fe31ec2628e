// Does in a real Chromium what people do, and looks after each deed at what the page says then.
// Standard input has {base, about: {plan, long}}; prints one JSON line for each deed: {"name": …, "failed": "" or why}.
import { chromium } from 'playwright-core';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import path from 'node:path';

const { base, about } = JSON.parse(await text(process.stdin));

const at = (tab) => { const u = new URL(tab.url()); return u.pathname + u.search; };
const says = (tab, selector) => tab.locator(selector).first().innerText();
const column = (tab, n) => tab.locator(`table.report tbody tr > :nth-child(${n})`).allInnerTexts();
const numbers = (texts) => texts.map((s) => (s === '-' ? 0 : Number(s.replaceAll(',', ''))));
const shot = (tab, name) => tab.screenshot({ path: path.join(process.env.SHOTS, name + '.png'), fullPage: true });

// signOn types name and password by the keyboard alone: Tab and Enter.
async function signOn(tab, name, to = '/today') {
  await tab.goto(base + to);
  for (let i = 0; i < 20 && (await tab.evaluate(() => document.activeElement?.id)) !== 'name'; i++) await tab.keyboard.press('Tab');
  await tab.keyboard.type(name);
  await tab.keyboard.press('Tab');
  await tab.keyboard.type(name + ' long enough');
  await Promise.all([tab.waitForURL((u) => u.pathname !== '/sign-on'), tab.keyboard.press('Enter')]);
}

// follows presses a button or a link and waits for the page that it leads to.
async function follow(tab, what) {
  await Promise.all([tab.waitForEvent('load'), what.click()]);
}

const all = {
  async 'signs on by keyboard, and skips to the page'(tab) {
    await signOn(tab, 'sato', '/months?span=6');
    assert.equal(at(tab), '/months?span=6'); // where they wanted to go
    await tab.keyboard.press('Tab');
    assert.equal(await tab.evaluate(() => document.activeElement.className), 'skip');
    await tab.keyboard.press('Enter');
    const order = [];
    for (let i = 0; i < 3; i++) {
      await tab.keyboard.press('Tab');
      order.push(await tab.evaluate(() => document.activeElement.textContent.trim().split('\n')[0] || document.activeElement.name));
      assert.ok(await tab.evaluate(() => document.querySelector('main').contains(document.activeElement)), 'the focus left the page');
    }
    assert.deepEqual(order.slice(0, 2), ['CSV', 'Excel']);
  },
  async 'is not let in with a wrong password'(tab) {
    await tab.goto(base + '/today');
    await tab.fill('#name', 'suzuki');
    await tab.fill('#password', 'not it');
    await follow(tab, tab.locator('main button'));
    assert.equal(new URL(tab.url()).pathname, '/sign-on');
    assert.notEqual(await says(tab, '[role=alert]'), '');
    assert.equal(await tab.inputValue('#password'), '');
    await shot(tab, 'state-wrong-password');
  },
  async 'sorts, filters and opens the heat table'(tab) {
    await signOn(tab, 'sato', '/months');
    await follow(tab, tab.locator('thead a', { hasText: '合計' }));
    const once = numbers(await column(tab, 15));
    await follow(tab, tab.locator('thead a', { hasText: '合計' }));
    const twice = numbers(await column(tab, 15));
    assert.ok(once.length > 3 && twice[0] !== once[0]);
    assert.deepEqual(twice, once.toReversed());
    assert.equal(await tab.locator('th[aria-sort]').count(), 1);

    const owner = (await tab.locator('select[name=owner] option').allInnerTexts())[1];
    await tab.selectOption('select[name=owner]', { label: owner });
    await follow(tab, tab.locator('.filter .primary'));
    const [, name, rows] = owner.match(/^(.*) \((\d+)\)$/);
    assert.deepEqual(await column(tab, 2), Array(Number(rows)).fill(name));
    for (const filter of ['segment', 'band']) {
      await tab.goto(base + '/months');
      const choice = (await tab.locator(`select[name=${filter}] option`).allInnerTexts())[1];
      await tab.selectOption(`select[name=${filter}]`, { label: choice });
      await follow(tab, tab.locator('.filter .primary'));
      assert.equal((await column(tab, 1)).length, Number(choice.match(/\((\d+)\)$/)[1]), choice);
    }
    const cell = tab.locator('td[class*=heat-]:not(.heat-0) a').last();
    const earned = await cell.innerText();
    await follow(tab, cell);
    assert.match(at(tab), /^\/customers\/.*\/months\/\d{4}-\d{2}$/);
    assert.equal(await says(tab, '.card b'), earned);
    const points = numbers(await tab.locator('main td.n').allInnerTexts());
    assert.ok(Math.abs(points.reduce((a, b) => a + b, 0) - Number(earned)) < 0.2, 'the contacts do not add up to the cell');
  },
  async 'has the heat table as files'(tab) {
    await signOn(tab, 'sato', '/months');
    for (const [link, begins] of [['CSV', '\ufeff'], ['Excel', 'PK']]) {
      const [file] = await Promise.all([tab.waitForEvent('download'), tab.locator('.downloads a', { hasText: link }).click()]);
      assert.match(file.suggestedFilename(), /^months-\d{4}-\d{2}-\d{2}\.(csv|xlsx)$/);
      const is = await readFile(await file.path(), 'utf8');
      assert.ok(is.startsWith(begins), link);
      if (link === 'CSV') assert.ok(is.includes('株式会社山田製作所'));
    }
  },
  async 'leafs through a long table'(tab) {
    await tab.goto(about.long + '/months');
    const first = (await column(tab, 1))[0];
    await follow(tab, tab.locator('a[rel=next]'));
    assert.notEqual((await column(tab, 1))[0], first);
    await follow(tab, tab.locator('a[rel=prev]'));
    assert.equal((await column(tab, 1))[0], first);
  },
  async 'tries other points, and nothing is kept'(tab) {
    await signOn(tab, 'sato', '/points');
    const number = tab.locator('.grid tbody input.number').first();
    const before = await number.inputValue();
    await number.fill(String(Number(before) * 3));
    await follow(tab, tab.locator('.tryit .primary'));
    assert.equal(await tab.locator('#tried').count(), 1);
    assert.equal(await tab.locator('input.changed').count(), 1);
    await follow(tab, tab.locator('.tryit a'));
    assert.equal(await number.inputValue(), before);
    assert.equal(await tab.locator('#tried').count(), 0);
  },
  async 'sends a plan that a brake holds, for a reason, and takes it back'(tab) {
    await signOn(tab, 'sato', '/plans/' + about.plan);
    assert.equal(await tab.locator('.brakes dt').count(), 1);
    await shot(tab, 'state-brake');
    await follow(tab, tab.locator('.buttons .primary'));
    await tab.locator('.confirm .primary').click(); // without a reason the browser itself sends nothing
    assert.equal(at(tab), `/plans/${about.plan}/apply`);
    await tab.fill('#reason', '確認しました');
    await follow(tab, tab.locator('.confirm .primary'));
    assert.match(at(tab), /^\/errands\/\d+/);
    await tab.goto(base + '/plans/' + about.plan);
    assert.equal(await says(tab, '.headline .state'), '反映済み');
    assert.ok((await tab.locator('main').innerText()).includes('確認しました'));
    await follow(tab, tab.locator('.danger'));
    await follow(tab, tab.locator('.confirm .danger'));
    assert.match(at(tab), /^\/errands\/\d+/);
    const [sent, of] = numbers((await tab.locator('main p:has(progress)').innerText()).match(/\d[\d,]*/g));
    assert.ok(sent > 0 && sent === of, `${sent} of ${of} were taken back`);
    await shot(tab, 'state-undone');
  },
  async 'has a reject tried again, and another wait'(tab) {
    await signOn(tab, 'sato', '/rejects');
    const rows = () => tab.locator('main > .scroll tbody tr').count();
    const before = await rows();
    await follow(tab, tab.locator('main > .scroll tbody a').nth(0));
    await follow(tab, tab.locator('a[href*="act=retry"]'));
    await tab.fill('#reason', '顧客を登録しました');
    await follow(tab, tab.locator('.confirm .primary'));
    assert.match(at(tab), /^\/rejects\/one/);
    assert.equal(await says(tab, '.headline .state'), '待ち: 次回の取得');
    assert.equal(await tab.locator('a[href*="act=retry"]').count(), 0); // it is asked for already
    await tab.goto(base + '/rejects');
    assert.equal(await rows(), before);
    await follow(tab, tab.locator('main > .scroll tbody a').nth(1));
    await follow(tab, tab.locator('a[href*="act=snooze"]'));
    await tab.fill('#until', '2099-12-01');
    await tab.fill('#reason', '報告を直しています');
    await follow(tab, tab.locator('.confirm .primary'));
    assert.ok((await says(tab, 'main')).includes('2099-12-01'));
    await tab.goto(base + '/rejects');
    assert.equal(await rows(), before - 1);
  },
  async 'changes language and colours, and keeps them'(tab) {
    await signOn(tab, 'sato', '/months?span=6');
    await follow(tab, tab.locator('button[value=en]'));
    assert.equal(at(tab), '/months?span=6');
    assert.equal(await tab.getAttribute('html', 'lang'), 'en');
    assert.equal(await says(tab, 'h1'), 'By month');
    const paper = () => tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await paper();
    await follow(tab, tab.locator('button[value=dark]'));
    assert.notEqual(await paper(), light);
    await tab.goto(base + '/today');
    assert.equal(await says(tab, 'h1'), 'Today');
    assert.equal(await tab.getAttribute('button[value=dark]', 'aria-pressed'), 'true');
  },
  async 'a viewer looks, and has nothing to press'(tab) {
    await signOn(tab, 'tanaka');
    assert.deepEqual(await tab.locator('.sections a').allInnerTexts(), ['今日', '顧客', '営業', '配点']);
    assert.equal(await tab.locator('main button, main .button, main a[href^="/rejects"], main a[href^="/runs"], main a[href^="/plans"]').count(), 0);
    await tab.goto(base + '/points');
    assert.equal(await tab.locator('main button').count(), 0);
    const answer = await tab.goto(base + '/plans');
    assert.equal(answer.status(), 403);
    assert.equal(await says(tab, '.problem p'), 'このページを見る権限がありません。');
    await shot(tab, 'state-no-permission');
  },
  async 'finds nothing, and is told what to do'(tab) {
    await signOn(tab, 'tanaka', '/search?q=' + encodeURIComponent('存在しない'));
    assert.ok((await says(tab, '.empty')).includes('存在しない'));
    await shot(tab, 'state-nothing-found');
    const answer = await tab.goto(base + '/customers/none');
    assert.equal(answer.status(), 404);
    await shot(tab, 'state-not-there');
  },
};

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
async function perform(name) {
  // Scripts are switched off: nothing that people do here may need one.
  const context = await browser.newContext({ locale: 'ja-JP', colorScheme: 'light', viewport: { width: 1366, height: 800 }, javaScriptEnabled: false });
  const tab = await context.newPage();
  let failed = '';
  try {
    await all[name](tab);
  } catch (e) {
    failed = `${e.message}\nat ${tab.url()}`;
  }
  await context.close();
  console.log(JSON.stringify({ name, failed }));
}

const waiting = Object.keys(all);
await Promise.all([1, 2].map(async () => { while (waiting.length) await perform(waiting.shift()); }));
await browser.close();
