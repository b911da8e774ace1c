/**
 * A real browser on a real node, for the tests of the page.
 *
 * @module test/browser/support
 */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { buildWeb } from '../../scripts/web-build.ts';
import type { Node } from '../../src/node/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';
import { findChromium } from './chromium.ts';

const path = findChromium();
/** Option of tests that need the browser: why they cannot run here, or false. */
export const skip =
  path === null && process.env.CI !== 'true'
    ? 'no Chromium here (Debian: apt-get install chromium-headless-shell, or name one in KITH_TEST_CHROMIUM)'
    : false;

/** A browser cannot make its sandbox as root or inside most containers; what it opens here is our own page. */
export function launch(): Promise<Browser> {
  if (path === null) throw new Error('The tests of the page need Chromium, and there is none.');
  // Nothing here needs a graphics processor, and to act one costs a sixth of the browser's time.
  const graphics = ['--disable-gpu', '--disable-gpu-compositing', '--in-process-gpu'];
  return chromium.launch({
    executablePath: path,
    args: ['--no-sandbox', '--disable-dev-shm-usage', ...graphics],
  });
}

export interface Stage extends AsyncDisposable {
  readonly home: TestHome;
  readonly browser: Browser;
  readonly node: Node;
  /** A new visitor on the page of the node. */
  visit(path?: string, options?: BrowserContextOptions): Promise<Visit>;
}

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** What went wrong so far: console errors, uncaught errors, refused or failed loads, requests to other origins. */
  readonly faults: string[];
}

export async function openStage(): Promise<Stage> {
  await buildWeb();
  // What was started ends also when what comes after it does not start: the file would never end.
  await using opening = new AsyncDisposableStack();
  const home = opening.use(await createHome());
  const node = opening.adopt(await startNode(home), (each) => each.close());
  const browser = opening.adopt(await launch(), (each) => each.close());
  const open = opening.move();
  return {
    home,
    browser,
    node,
    visit: (path = '/', options = {}) => visitPage(browser, node.url, path, options),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

export async function visitPage(
  browser: Browser,
  url: string,
  path = '/',
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({
    locale: 'en-GB',
    permissions: ['clipboard-read', 'clipboard-write'],
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  // Small models wander and do not end: short answers, the same each time.
  await context.addInitScript(() => {
    if (localStorage.getItem('kith.preferences') === null)
      localStorage.setItem(
        'kith.preferences',
        JSON.stringify({ settings: { temperature: 0, max_tokens: 40 } }),
      );
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    // A console.error of the page, a refused load and a violated policy all come this way.
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'blob:' && protocol !== 'data:' && origin !== new URL(url).origin)
      faults.push(request.url());
  });
  await page.goto(`${url}${path}`);
  return { page, faults, [Symbol.asyncDispose]: () => context.close() };
}

/** Asks a question the way a reader does. */
export async function send(page: Page, question: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Your question' }).fill(question);
  await page.getByRole('button', { name: 'Send' }).click();
}

/** From here on answers may be as long as the model makes them. */
export async function allowLong(page: Page): Promise<void> {
  await page.evaluate(() => localStorage.setItem('kith.preferences', '{"settings":{"temperature":0}}'));
  await page.reload();
}

/** Waits until the last answer has ended and is kept, so that the page can be left. */
export async function answered(page: Page, turns: number): Promise<void> {
  const last = page.locator('[data-turn]').nth(turns - 1);
  await last.and(page.locator('[data-state="done"]')).waitFor({ timeout: 60_000 });
  await until(async () => {
    const kept = await archived(page);
    return kept.length === turns && kept.at(-1)!.state === 'done';
  });
}

/** The turns of the open conversation as the browser's database holds them. */
export function archived(page: Page): Promise<readonly { question: string; state: string }[]> {
  const id = new URL(page.url()).pathname.split('/').at(-1)!;
  return page.evaluate(
    (key) =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('kith');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const database = opening.result;
          const reading = database.transaction('threads').objectStore('threads').get(key);
          reading.onerror = () => reject(reading.error);
          reading.onsuccess = () => {
            database.close();
            const turns: { question: string; answer: { state: string } }[] = reading.result?.turns ?? [];
            resolve(turns.map(({ question, answer }) => ({ question, state: answer.state })));
          };
        };
      }),
    id,
  );
}

const untilMs = 60_000;

/** Waits for what a locator cannot wait for. */
export async function until(condition: () => Promise<boolean>, what = 'The condition'): Promise<void> {
  const end = AbortSignal.timeout(untilMs);
  while (!(await condition())) {
    if (end.aborted) throw new Error(`${what} did not come true within ${untilMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until the page has its words in a language: all but English come after the first paint. */
export function inLanguage(page: Page, language: string): Promise<void> {
  return until(() => page.evaluate((wanted) => document.documentElement.lang === wanted, language));
}
