/**
 * What streaming costs the page: an answer of 2,000 Markdown tokens at 100 a second, after 40 turns, with the processor
 * of the browser slowed down four times. Prints dropped frames, long tasks, the time until a key press is painted, and
 * how the page loads. The node and the page are real; the answer is written by this script, so that its length and pace
 * are the same each time.
 *
 * `npm run bench:web [-- tokens perSecond slowdown]`
 *
 * @module test/browser/bench
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import { buildWeb } from '../../scripts/web-build.ts';
import { readBuild } from '../../src/server/web/files.ts';
import { findBrowser } from './chromium.ts';

const [tokens = 2_000, perSecond = 100, slowdown = 4] = process.argv.slice(2).map(Number);
const turnsBefore = 40;

const section = `## A part of the answer

It says **one thing** after another, with \`code\` in it and a [link](https://a.example). A paragraph of this kind is
what most answers are made of, and it goes on for a few lines before it ends.

- first of a list, which has some words
- second of it, with *stress* on one
- third, and last

\`\`\`ts
for (const [index, value] of list.entries()) {
  if (value > index) console.log(\`\${index}: \${value}\`);
}
\`\`\`

| Name | Value | Note |
| --- | --: | --- |
| one | 1 | the first |
| two | 2 | the second |

`;
const pieces = section.match(/\s*\S{1,5}/g)!;
const token = (index: number) => pieces[index % pieces.length]!;

async function write(response: ServerResponse): Promise<void> {
  const send = (body: object) => response.write(`data: ${JSON.stringify(body)}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-kith-backend': 'local' });
  const began = performance.now();
  for (let sent = 0; sent < tokens && !response.destroyed; ) {
    const due = Math.min(tokens, Math.floor(((performance.now() - began) / 1000) * perSecond) + 1);
    for (; sent < due; sent++) send({ choices: [{ delta: { content: token(sent) } }] });
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
  send({ model: 'm', choices: [{ delta: {}, finish_reason: 'stop' }] });
  response.end('data: [DONE]\n\n');
}

await buildWeb();
const files = readBuild()!;
const server = createServer((request, response) => {
  const path = (request.url ?? '/').split('?')[0]!;
  if (path === '/v1/chat/completions') return void write(response);
  if (path === '/v1/models') return void response.end('{"data":[]}');
  const file = files.get(path.slice(1)) ?? files.get('index.html')!;
  response.writeHead(path.startsWith('/kith/') ? 404 : 200, { 'content-type': file.type }).end(file.bytes);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const browser = await chromium.launch({
  executablePath: findBrowser() ?? 'chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
const devtools = await page.context().newCDPSession(page);
await devtools.send('Emulation.setCPUThrottlingRate', { rate: slowdown });

// In words of the page, which outlive its navigations.
await page.addInitScript(`
  globalThis.seen = { frames: [], long: [], keys: [], lcp: 0, cls: 0 };
  const watch = (type, each, options = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true, ...options });
  watch('longtask', (entry) => seen.long.push(entry.duration));
  watch('event', (entry) => entry.interactionId && seen.keys.push(entry.duration), { durationThreshold: 16 });
  watch('largest-contentful-paint', (entry) => { seen.lcp = entry.startTime; });
  watch('layout-shift', (entry) => { if (!entry.hadRecentInput) seen.cls += entry.value; });
`);
await page.goto(url);
await page.locator('textarea').waitFor();
await page.waitForTimeout(1_000);
const loaded = (await page.evaluate('seen.lcp')) as number;

// A conversation that is already long.
await page.evaluate(`new Promise((resolve, reject) => {
  const open = indexedDB.open('kith', 1);
  open.onerror = reject;
  open.onsuccess = () => {
    const now = Date.now();
    const text = ${JSON.stringify(section.repeat(3))};
    const answer = { state: 'done', text, model: 'm', backend: 'local', finish: 'stop', usage: null, receipt: null, requestId: null, fault: null };
    const turns = Array.from({ length: ${turnsBefore} }, (_, n) => ({ id: 't' + n, question: 'Question ' + n, asked: now, answer }));
    const settings = { model: null, temperature: null, top_p: null, max_tokens: null, seed: null, system: '' };
    const change = open.result.transaction(['conversations', 'threads'], 'readwrite');
    change.objectStore('conversations').put({ id: 'long', title: 'Long', created: now, updated: now, settings });
    change.objectStore('threads').put({ id: 'long', turns });
    change.oncomplete = resolve;
  };
})`);
await page.goto(`${url}/chat/long`);
await page
  .locator('[data-turn]')
  .nth(turnsBefore - 1)
  .waitFor();
await page.waitForTimeout(1_000);
await page.locator('textarea').fill('Go on.');
await page.evaluate(`
  Object.assign(seen, { frames: [], long: [], keys: [], cls: 0 });
  requestAnimationFrame(function frame(at) { seen.frames.push(at); requestAnimationFrame(frame); });
`);
await page.waitForTimeout(3_000);
const idle = (await page.evaluate('seen.frames.splice(0)')) as number[];
await devtools.send('Performance.enable');
const spent = async () => {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
};
const before = await spent();
await page.keyboard.press('Enter');
const typing = (async () => {
  for (let at = 0; at < tokens / perSecond - 2; at++) {
    await page.waitForTimeout(1_000);
    await page.keyboard.type('a');
  }
})();
await page
  .locator('[data-turn]')
  .nth(turnsBefore)
  .and(page.locator('[data-state="done"]'))
  .waitFor({ timeout: (tokens / perSecond) * 4_000 + 30_000 });
await typing;
const seen = (await page.evaluate('seen')) as {
  frames: number[];
  long: number[];
  keys: number[];
  cls: number;
};
const now = await spent();
await browser.close();
server.close();

const sorted = (values: number[]) => [...values].sort((a, b) => a - b);
const at = (values: number[], share: number) =>
  sorted(values)[Math.floor(share * (values.length - 1))] ?? Number.NaN;
const gapsOf = (frames: readonly number[]) => frames.slice(1).map((time, index) => time - frames[index]!);
const droppedIn = (list: readonly number[]) => {
  const lost = list.reduce((sum, gap) => sum + Math.max(0, Math.round(gap / (1000 / 60)) - 1), 0);
  return `${lost} (${((100 * lost) / (list.length + lost)).toFixed(1)} %)`;
};
const gaps = gapsOf(seen.frames);
const seconds = (name: string) => `${(now[name]! - before[name]!).toFixed(2)} s`;
const print = (what: string, value: string) => console.log(`${what.padEnd(44)}${value}`);
console.log(
  `${tokens} tokens at ${perSecond}/s after ${turnsBefore} turns, processor slowed ${slowdown} times\n`,
);
print('largest paint of the first visit', `${loaded.toFixed(0)} ms`);
print('frames', String(seen.frames.length));
print('dropped frames', droppedIn(gaps));
print('dropped frames in 3 s at rest before', droppedIn(gapsOf(idle)));
print('main thread busy', seconds('TaskDuration'));
print(
  '  of it scripts, styles, layout',
  ['ScriptDuration', 'RecalcStyleDuration', 'LayoutDuration'].map(seconds).join(', '),
);
print('longest time between frames', `${Math.max(...gaps).toFixed(0)} ms`);
print('tasks over 50 ms', `${seen.long.length} (longest ${Math.max(0, ...seen.long).toFixed(0)} ms)`);
print(
  'key press to paint: median, 98th of 100',
  `${at(seen.keys, 0.5)} ms, ${at(seen.keys, 0.98)} ms (${seen.keys.length})`,
);
print('layout shift', seen.cls.toFixed(3));
