/** The page as a visitor meets it: what it loads, what it says first, how it fits. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { inLanguage, openStage, type Stage, skip, until } from './support.ts';

const dist = join(import.meta.dirname, '../../web/dist');
let stage: Stage;
before(async () => {
  if (!skip) stage = await openStage();
});
after(() => stage?.[Symbol.asyncDispose]());

test('the first visit loads from this node only, without an error or a breach of the policy', {
  skip,
}, async () => {
  await using visit = await stage.visit();
  const { page, faults } = visit;
  await page.getByText('tiny is ready on this machine. It needs no internet.').waitFor();
  await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor();
  for (const path of ['/status', '/network', '/conversations', '/chat']) {
    await page.goto(`${stage.node.url}${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
  }
  assert.deepEqual(faults, []);
});

test('the first visit shows only ways on that exist, and each opens', { skip }, async () => {
  await using visit = await stage.visit();
  const { page } = visit;
  await page.getByText('Point a program at this node').click();
  await page.getByText(`${stage.node.url}/v1`, { exact: true }).waitFor();
  await page.getByText('Get a larger model').click();
  await page.getByText(/^kith models pull hf:/).waitFor();
  const links = await page
    .locator('a[href]')
    .evaluateAll((all) => all.map((one) => one.getAttribute('href')!));
  for (const href of new Set(links)) {
    const answer = await page.request.get(`${stage.node.url}${href}`, { headers: { accept: 'text/html' } });
    assert.equal(answer.status(), 200, href);
  }
});

test('a question that is offered can be asked with one click', { skip }, async () => {
  await using visit = await stage.visit();
  const { page } = visit;
  await page.getByText('Try a question').click();
  await page.getByRole('button', { name: /photosynthesis/ }).click();
  await page.getByRole('heading', { level: 2, name: /photosynthesis/ }).waitFor();
  await page.locator('.prose').waitFor();
});

test('no page scrolls sideways at 320 px, in both languages', { skip }, async () => {
  for (const locale of ['en-GB', 'de-DE']) {
    await using visit = await stage.visit('/', { viewport: { width: 320, height: 640 }, locale });
    const { page } = visit;
    for (const path of ['/', '/conversations', '/network', '/status']) {
      await page.goto(`${stage.node.url}${path}`);
      await page.getByRole('heading', { level: 1 }).first().waitFor();
      await inLanguage(page, locale.slice(0, 2));
      const wide = await page.evaluate(() =>
        [...document.querySelectorAll('body, .main, .scroller, .page, .page-body')]
          .filter((one) => one.scrollWidth > one.clientWidth)
          .map((one) => one.className),
      );
      assert.deepEqual(wide, [], `${locale} ${path}`);
    }
  }
});

test('the colours follow the system until the reader chooses, and the choice stays', { skip }, async () => {
  await using visit = await stage.visit('/', { colorScheme: 'dark' });
  const { page } = visit;
  /** Of what is painted, not of what is written: light (255) or dark (0). */
  const isDark = () =>
    page.evaluate(() => {
      const context = document.createElement('canvas').getContext('2d')!;
      context.fillStyle = getComputedStyle(document.body).backgroundColor;
      context.fillRect(0, 0, 1, 1);
      return context.getImageData(0, 0, 1, 1).data[0]! < 128;
    });
  await until(isDark);
  await page.getByRole('button', { name: 'Preferences' }).first().click();
  await page.getByRole('radio', { name: 'Light' }).check();
  await until(async () => !(await isDark()));
  await page.reload();
  await until(async () => !(await isDark()));
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light');
});

test('the language can be changed, and numbers and the document follow', { skip }, async () => {
  await using visit = await stage.visit('/');
  const { page } = visit;
  await page.getByRole('button', { name: 'Preferences' }).first().click();
  await page.getByLabel('Language').selectOption('de');
  await page.getByRole('heading', { name: 'Einstellungen' }).waitFor();
  await inLanguage(page, 'de');
});

test('an address that leads nowhere is said to', { skip }, async () => {
  await using visit = await stage.visit('/chat/0123456789abcdef');
  await visit.page.getByRole('heading', { name: 'This conversation is not in this browser' }).waitFor();
});

test('the first load keeps its budget: 60 KB of script, 12 of style, 40 of type; any later chunk 50', {
  skip,
}, () => {
  const size = (path: string) => gzipSync(readFileSync(join(dist, path)), { level: 9 }).length;
  const html = readFileSync(join(dist, 'index.html'), 'utf8');
  const first = [...html.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, path]) => path!);
  const sum = (end: string) =>
    first.filter((path) => path.endsWith(end)).reduce((bytes, path) => bytes + size(path), 0);
  const sizes = { js: sum('.js'), css: sum('.css'), woff2: sum('.woff2') };
  assert.ok(sizes.js > 10_000 && sizes.css > 1_000 && sizes.woff2 > 10_000, JSON.stringify(sizes));
  assert.ok(sizes.js <= 60 * 1024, `script: ${sizes.js}`);
  assert.ok(sizes.css <= 12 * 1024, `style: ${sizes.css}`);
  assert.ok(sizes.woff2 <= 40 * 1024, `type: ${sizes.woff2}`);
  // What reads PDFs comes with the first page of one that is looked at.
  for (const name of readdirSync(join(dist, 'assets')))
    if (/\.(js|css)$/.test(name) && !name.startsWith('pdf-worker-'))
      assert.ok(size(`assets/${name}`) <= 50 * 1024, name);
});

test('what the first visit fetches by itself is the document and its list, and the renderer that comes after', {
  skip,
}, async () => {
  await using visit = await stage.visit('/');
  const { page } = visit;
  await page.getByText('is ready on this machine').waitFor();
  const fetched = await page.evaluate(() =>
    performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname),
  );
  const html = readFileSync(join(dist, 'index.html'), 'utf8');
  const listed = new Set([...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!));
  const others = fetched.filter((path) => !listed.has(path) && !/^\/(v1|kith)\//.test(path));
  assert.deepEqual(
    others.filter((path) => !/^\/assets\/markdown-/.test(path)),
    [],
  );
});
