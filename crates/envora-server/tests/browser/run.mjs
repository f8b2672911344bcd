// Opens Envora's pages in the system's Chromium and looks for what people could stumble over.
// One JSON document on stdin: {base, token, pages: [{name, path}]}. Exit 0 when all is well, 1 when
// something is wrong, each fault on a line of its own.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const { base, token, pages } = JSON.parse(readFileSync(0, 'utf8'));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const faults = [];
const fault = (where, what) => faults.push(`${where}: ${what}`);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
});

// A context whose every request stays at home, and whose pages report what they complain of.
async function open(where, options, alter) {
  const context = await browser.newContext({ baseURL: base, ...options });
  context.setDefaultTimeout(15_000);
  await context.route('**/*', async (route) => {
    const url = new URL(route.request().url());
    if (url.origin !== new URL(base).origin) {
      fault(where, `asks for ${url.href}`);
      return route.abort();
    }
    if (!alter) return route.continue();
    const response = await route.fetch({ maxRedirects: 0 });
    const type = response.headers()['content-type'] ?? '';
    if (!/text\/(html|css)/.test(type)) return route.fulfill({ response });
    return route.fulfill({ response, body: alter(await response.text(), type) });
  });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) fault(where, `console: ${message.text()}`);
  });
  page.on('pageerror', (error) => fault(where, `page error: ${error.message}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`content policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return page;
}

async function signIn(page) {
  await page.goto('/sign-in');
  await page.fill('#token', token);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname === '/');
}

async function violations(page) {
  await page.evaluate(axe);
  const result = await page.evaluate((values) => axe.run({ runOnly: { type: 'tag', values } }), tags);
  return result.violations.map((one) => ({ id: one.id, text: `${one.id} (${one.help}) at ${one.nodes.slice(0, 3).map((node) => node.target.join(' ')).join(' | ')}` }));
}

async function look(page, where) {
  for (const { text } of await violations(page)) fault(where, `axe: ${text}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) fault(where, `scrolls sideways by ${wide} px`);
}

async function everyPage() {
  for (const width of [320, 1280]) {
    for (const colorScheme of ['light', 'dark']) {
      const name = `${width} ${colorScheme}`;
      const page = await open(name, { viewport: { width, height: 800 }, colorScheme });
      await page.goto('/sign-in');
      await look(page, `sign-in ${name}`);
      await signIn(page);
      for (const { name: title, path } of pages) {
        const response = await page.goto(path);
        if (response.status() !== 200) fault(`${title} ${name}`, `answers ${response.status()}`);
        await page.evaluate(() => document.querySelectorAll('details').forEach((one) => { one.open = true; }));
        await look(page, `${title} ${name}`);
      }
      await page.context().close();
    }
  }
}

async function preferences() {
  const options = { viewport: { width: 1280, height: 800 }, forcedColors: 'active', reducedMotion: 'reduce' };
  const page = await open('forced colours', options);
  await signIn(page);
  for (const { name, path } of pages) {
    await page.goto(path);
    await look(page, `${name} in forced colours`);
    const moves = await page.evaluate(() => [...document.querySelectorAll('*')].some((one) => parseFloat(getComputedStyle(one).transitionDuration) > 0));
    if (moves) fault(name, 'moves although reduced motion is asked for');
    const paper = await page.pdf({ format: 'A4', tagged: true });
    if (paper.length < 8_000) fault(name, 'prints an empty sheet');
  }
  await page.context().close();
  await onPaper();
}

// Who looks at a dark screen prints on white paper: dark on it, and without what only a screen can follow.
async function onPaper() {
  const page = await open('paper', { viewport: { width: 700, height: 1000 }, colorScheme: 'dark' });
  await signIn(page);
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  for (const { name, path } of pages.filter((one) => one.path === '/' || one.path.startsWith('/figures/'))) {
    await page.goto(path);
    await look(page, `${name} on paper`);
    const shown = await page.evaluate(() => {
      const screens = [...document.querySelectorAll('nav, form, p.links, .folded, .steps-list, .crumbs, .onward')];
      const ground = getComputedStyle(document.body).backgroundColor;
      return [...screens.filter((one) => one.getClientRects().length > 0).map((one) => one.className || one.tagName), ...(ground === 'rgb(255, 255, 255)' ? [] : [ground])];
    });
    if (shown.length > 0) fault(name, `prints ${[...new Set(shown)].join(', ')}`);
  }
  await page.context().close();
}

// Without scripts everything must work as well: the policy forbids them anyway.
async function withoutScripts() {
  const page = await open('without scripts', { javaScriptEnabled: false, viewport: { width: 1280, height: 800 } });
  await signIn(page);
  await page.locator('main a.big').first().click();
  await page.waitForURL(/\/figures\//);
  await page.context().close();
}

const focused = (page) => page.evaluate(() => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  return {
    id: one.id, tag: one.tagName, text: (one.getAttribute('aria-label') ?? one.textContent).trim().slice(0, 60),
    outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    seen: box.bottom > 0 && box.top < innerHeight && box.width > 0, height: box.height, width: box.width,
  };
});

async function keyboard() {
  const where = 'keyboard';
  const page = await open(where, { viewport: { width: 1280, height: 800 } });
  await signIn(page);
  await page.goto('/');
  await page.keyboard.press('Tab');
  let at = await focused(page);
  if (!/skip/i.test(at.text) || !at.seen) fault(where, `the first stop is ${at.text}, not a visible skip link`);
  await page.keyboard.press('Enter');
  if ((await focused(page)).id !== 'main') fault(where, 'the skip link does not lead to the main part');
  const stops = new Set();
  let opened = false;
  for (let stop = 0; stop < 300; stop += 1) {
    await page.keyboard.press('Tab');
    at = await focused(page);
    if (at.tag === 'BODY' || /skip/i.test(at.text)) break;
    stops.add(at.text);
    if (!at.outlined) fault(where, `focus is not visible on ${at.text}`);
    if (!at.seen) fault(where, `focus is outside the window on ${at.text}`);
    if (at.height < 24 || at.width < 24) fault(where, `${at.text} is ${Math.round(at.width)} × ${Math.round(at.height)} px, less than 24`);
    if (at.tag === 'SUMMARY' && !opened) {
      await page.keyboard.press('Enter');
      opened = await page.evaluate(() => document.activeElement.parentElement.open);
      if (!opened) fault(where, 'a table does not open with Enter');
    }
  }
  if (stops.size < 10) fault(where, `only ${stops.size} stops on the footprint page`);
  await page.locator('main a.big').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/figures\//);
  const follow = page.locator('a[href*="line="]').first();
  if (await follow.count()) {
    await follow.focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/line=/);
  }
  await page.locator('form[action="/sign-out"] button').focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/sign-in/);
  const back = await page.goto('/');
  if (!back.url().includes('/sign-in')) fault(where, 'signing out does not end the session');
  await page.context().close();
}

// The checks must be able to fail: each planted fault has to be found.
async function planted() {
  const plants = [
    ['contrast', 'color-contrast', (text, type) => (type.includes('css') ? text.replaceAll(/--soft: #[0-9a-f]+/g, '--soft: #b9b6ab') : text)],
    ['label', 'label', (text) => text.replace(/<label[^]*?<\/label>/, '')],
  ];
  for (const [name, rule, alter] of plants) {
    const page = await open(`planted ${name}`, { viewport: { width: 1280, height: 800 }, colorScheme: 'light' }, alter);
    await page.goto('/sign-in');
    const found = (await violations(page)).map((one) => one.id);
    if (!found.includes(rule)) fault(`planted ${name}`, `not found; found ${found.join(', ') || 'nothing'}`);
    await page.context().close();
  }
}

// A browser that hangs is a fault too.
setTimeout(() => { console.log('fault: no end after five minutes'); process.exit(1); }, 300_000).unref();

try {
  for (const part of [everyPage, preferences, withoutScripts, keyboard, planted]) {
    const before = faults.length;
    await part().catch((error) => fault(part.name, error.message.split('\n')[0]));
    console.log(`${part.name}: ${faults.length === before ? 'ok' : 'FAILED'}`);
  }
} finally {
  await browser.close();
}
for (const text of faults) console.log(`fault: ${text}`);
process.exit(faults.length === 0 ? 0 : 1);
