// Brings files into Envora as a person does, in the system's Chromium: in parts, broken off and gone on
// with, looked at, mended, taken in, watched, given up. One JSON document on stdin: {base, token}. Exit 0
// when all is well, 1 when something is wrong, each fault on a line of its own. With SHOTS, pictures of
// each state are put there.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const { base, token } = JSON.parse(readFileSync(0, 'utf8'));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const faults = [];
const fault = (where, what) => faults.push(`${where}: ${what}`);
const is = (where, holds, what) => { if (!holds) fault(where, what); };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
});

// A context whose every request stays at home; complaints are faults, but for those that a test causes.
async function open(where, options = {}) {
  const context = await browser.newContext({ baseURL: base, viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(30_000);
  await context.route('**/*', (route) => {
    const url = route.request().url();
    if (new URL(url).origin === new URL(base).origin) return route.continue();
    fault(where, `asks for ${url}`);
    return route.abort();
  });
  const page = await context.newPage();
  page.on('console', (message) => {
    const caused = /ERR_FAILED|ERR_ABORTED|status of 429/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !caused) fault(where, `console: ${message.text()}`);
  });
  page.on('pageerror', (error) => fault(where, `page error: ${error.message}`));
  await page.goto('/sign-in');
  await page.fill('#token', token);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname === '/');
  return page;
}

const LOOKS = [320, 1280].flatMap((width) => ['light', 'dark'].map((colorScheme) => ({ width, colorScheme })));

// The state that a page is in, as everybody has to be able to read it.
async function look(page, state) {
  const before = page.viewportSize();
  for (const { width, colorScheme } of LOOKS) {
    const where = `${state} ${width} ${colorScheme}`;
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme });
    await page.evaluate(axe);
    const { violations } = await page.evaluate((tags) => axe.run({ runOnly: { type: 'tag', values: tags } }), values);
    for (const one of violations) fault(where, `axe: ${one.id} (${one.help}) at ${one.nodes.slice(0, 3).map((node) => node.target.join(' ')).join(' | ')}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) fault(where, `scrolls sideways by ${wide} px`);
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${where.replaceAll(/\W+/g, '-')}.png`, fullPage: true });
  }
  await page.setViewportSize(before);
}

// Hours of a meter, of which nothing tells whether a time is the start or the end, and one below zero.
function hours(name, rows, first = 0) {
  const lines = ['when,strom [kWh]'];
  for (let row = 0; row < rows; row += 1) {
    const at = new Date(Date.UTC(2021, 0, 1, first + row)).toISOString();
    lines.push(`${at.slice(0, 10)} ${at.slice(11, 16)},${row === 700 ? '-5.5' : (row % 9) + 0.5}`);
  }
  return { name, mimeType: 'text/csv', buffer: Buffer.from(`${lines.join('\n')}\n`) };
}

// What is large and how long a part is, for these tests: as on the page, but smaller.
const smaller = (page, part = 4096) => page.evaluate((bytes) => {
  Object.assign(document.getElementById('upload').dataset, { part: bytes, whole: 1000 });
}, part);

const PARTS = '**/imports/*/parts/*';

async function chosen(page, file) {
  await page.goto('/imports');
  await smaller(page);
  await page.fill('#set', 'facility_code=b24');
  await page.setInputFiles('#file', file);
}

const FILE = hours('b24-hours.csv', 1500);
const parts = Math.ceil(FILE.buffer.length / 4096);

// The last part does not arrive, and the window is closed. Opened again, only that part is sent.
async function brokenOff() {
  const where = 'broken off';
  const page = await open(where);
  await page.goto('/imports');
  is(where, !(await page.isVisible('#upload')), 'shows a file on its way before there is one');
  await look(page, 'the form');
  await chosen(page, FILE);
  let held;
  const holding = new Promise((done) => { held = done; });
  let arrived = 0;
  await page.route(PARTS, (route) => {
    const number = Number(route.request().url().split('/').pop());
    if (number === parts) return held(route);
    arrived += 1;
    return route.continue();
  });
  await page.click('button.primary');
  const last = await holding;
  is(where, arrived === parts - 1, `${arrived} of ${parts} parts were sent before it broke off`);
  const shown = await page.textContent('#upload-text');
  is(where, / of 3\d\.\d.kB/.test(shown), `says ${shown}`);
  await look(page, 'on its way');
  const context = page.context();
  // The line breaks, and the window is closed before it is tried again.
  await last.abort();
  await page.close();
  const again = await context.newPage();
  await again.goto('/imports');
  is(where, (await again.textContent('.unfinished')).includes('not all here'), 'is not listed as unfinished');
  await look(again, 'unfinished');
  // Another file of this name is none of it; this one goes on from its own page.
  await again.click('.unfinished a');
  await again.waitForURL(/\/imports\/imp_/);
  await look(again, 'half of it');
  await smaller(again);
  await again.setInputFiles('#again', hours('other.csv', 10));
  await again.waitForSelector('#upload-trouble:not([hidden])');
  is(where, (await again.textContent('#upload-why')).includes('another file'), 'takes any file for it');
  await look(again, 'another file');
  const sent = [];
  await again.route(PARTS, (route) => { sent.push(route.request().url()); return route.continue(); });
  const left = again.url();
  await again.goto('/imports');
  await smaller(again);
  await again.setInputFiles('#file', FILE);
  await again.click('button.primary');
  await again.waitForURL(left);
  is(where, sent.length === 1 && sent[0].endsWith(`/${parts}`), `sends ${sent.length} parts again: ${sent.join(' ')}`);
  return again;
}

// From what the file tells to its rows: a question is answered, the mapping mended, the file taken in.
async function takenIn(page) {
  const where = 'taken in';
  is(where, await page.isVisible('text=What the file tells'), 'does not say what the file tells');
  await look(page, 'proposal');
  is(where, !(await page.isVisible('button:has-text("Take the file in")')), 'takes in what it cannot read');
  await page.click('button:has-text("Use it and look again")');
  await page.waitForSelector('.alert');
  is(where, (await page.textContent('.alert')).length > 20, 'an open question is guessed');
  await look(page, 'unanswered');
  await page.locator('input[type=radio]').first().check();
  await page.click('button:has-text("Use it and look again")');
  await page.waitForSelector('#seen');
  const counts = await page.textContent('.outcomes');
  is(where, /Would be refused\s*1/.test(counts), `would refuse: ${counts}`);
  is(where, (await page.locator('table').first().textContent()).includes('electricity.purchased'), 'shows no row as it would be stored');
  await look(page, 'preview');
  await page.click('text=Edit b24-hours');
  await page.waitForURL(/edit=/);
  await page.fill('#toml', `${await page.inputValue('#toml')}\n[nonsense]\n`);
  await page.click('button:has-text("Use it and look again")');
  await page.waitForSelector('.alert');
  is(where, (await page.inputValue('#toml')).includes('nonsense'), 'what was edited is lost');
  await page.click('text=← Imports');
  await page.click('.unfinished a');
  await page.click('button:has-text("Take the file in")');
  await page.waitForSelector('text=What became of its rows');
  is(where, /Refused\s*1/.test(await page.textContent('.outcomes')), 'does not say what was refused');
  await look(page, 'its end');
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('text=Download the error file')]);
  const text = readFileSync(await file.path(), 'utf8');
  is(where, text.includes('_envora_code') && text.includes('negative_not_allowed') && text.trim().split('\n').length === 2, `the error file is ${text}`);
  await page.context().close();
}

// A longer file is watched; another is given up meanwhile; a third where no events come through.
async function watched() {
  const where = 'watched';
  const page = await open(where);
  const long = async (name, years) => {
    await page.goto('/imports');
    await smaller(page, 1 << 18);
    await page.selectOption('#mapping', 'b24-hours');
    await page.fill('#set', `facility_code=b24\nsource_code=${name}`);
    await page.setInputFiles('#file', hours(`${name}.csv`, 24 * 365 * years));
    await page.click('#look');
    await page.waitForURL(/\/imports\/imp_/);
    await page.click('button:has-text("Take the file in")');
  };
  await long('watched', 3);
  await page.waitForSelector('#watch');
  await look(page, 'being read');
  const asked = [];
  page.on('request', (request) => { if (request.url().endsWith('/state')) asked.push(request.url()); });
  await page.waitForSelector('text=What became of its rows', { timeout: 90_000 });
  is(where, asked.length === 0, 'asks although it is told');

  await long('given-up', 6);
  await page.waitForSelector('#watch');
  await page.click('button:has-text("Give it up")');
  await page.waitForURL((url) => url.pathname === '/imports');
  is(where, !(await page.content()).includes('given-up'), 'what was given up is still there');

  await page.route('**/events', (route) => route.fulfill({ status: 429, contentType: 'application/problem+json', body: '{}' }));
  await long('polled', 3);
  await page.waitForSelector('#watch');
  await page.waitForSelector('text=What became of its rows', { timeout: 90_000 });
  is(where, asked.length > 0, 'was never asked');
  await page.context().close();
}

// Whoever is not signed in any more is told so, and what to do; so is who sends what goes not in parts.
async function refused() {
  const where = 'refused';
  const page = await open(where);
  await chosen(page, { name: 'book.xlsx', mimeType: 'application/zip', buffer: Buffer.alloc(2000) });
  await page.click('button.primary');
  await page.waitForSelector('#upload-trouble:not([hidden])');
  is(where, (await page.textContent('#upload-why')).includes('CSV and NDJSON'), 'does not say what goes in parts');
  await page.context().clearCookies();
  await page.setInputFiles('#file', hours('later.csv', 100));
  await page.click('button.primary');
  await page.waitForFunction(() => document.getElementById('upload-why').textContent.includes('Sign in'));
  await look(page, 'signed out');
  await page.context().close();
}

// Without a script the page of an open import works: its forms are forms.
async function withoutScripts() {
  const page = await open('without scripts', { javaScriptEnabled: false });
  await page.goto('/imports');
  for (const only of ['#look', '#upload']) is('without scripts', !(await page.isVisible(only)), `shows ${only}, which only a script uses`);
  await page.context().close();
}

// A browser that hangs is a fault too.
setTimeout(() => { console.log('fault: no end after five minutes'); process.exit(1); }, 300_000).unref();

try {
  const walk = async () => takenIn(await brokenOff());
  for (const part of [walk, watched, refused, withoutScripts]) {
    const before = faults.length;
    await part().catch((error) => fault(part.name, error.message.split('\n').slice(0, 3).join(' ')));
    console.log(`${part.name}: ${faults.length === before ? 'ok' : 'FAILED'}`);
  }
} finally {
  await browser.close();
}
for (const text of faults) console.log(`fault: ${text}`);
process.exit(faults.length === 0 ? 0 : 1);
