/**
 * What the map of a knowledge base costs the page: the time to its first picture and until it stands still, script and longest
 * gap between frames while it is moved, and memory. The page is real, the network of names is made up: communities, few names with
 * many ties, the same each time.
 *
 * `npm run bench:graph [-- names ties]`
 *
 * @module test/browser/graph-bench
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import { buildWeb } from '../../scripts/web-build.ts';
import type { NetworkView } from '../../src/server/rag/graph-types.ts';
import { readBuild } from '../../src/server/web/files.ts';
import { contentSecurityPolicy } from '../../src/server/web/index.ts';
import { randomOf } from '../../web/src/pages/knowledge/graph/random.ts';
import { findBrowser } from './chromium.ts';

const given = process.argv.slice(2).map(Number);
const runs: readonly (readonly [names: number, ties: number])[] =
  given[0] === undefined
    ? [
        [500, 2_000],
        [5_000, 20_000],
      ]
    : [[given[0], given[1] ?? 4 * given[0]]];

const SYLLABLES =
  'an bel cor dan el far gar hel il jor kal lan mer nor ol par qui ros sal tor ul ver wen'.split(' ');
const TYPES = ['Person', 'Person', 'Place', 'Organization', 'Event', 'CreativeWork', null];

function made(names: number, ties: number): NetworkView {
  const random = randomOf(names);
  const below = (most: number) => Math.floor(random() * most);
  const groups = Math.max(3, Math.round(Math.sqrt(names) / 1.6));
  const word = () => {
    const text = Array.from({ length: 1 + below(3) }, () => SYLLABLES[below(SYLLABLES.length)]).join('');
    return text[0]!.toUpperCase() + text.slice(1);
  };
  // Some communities are much larger than others.
  const members: number[][] = Array.from({ length: groups }, () => []);
  const nodes = Array.from({ length: names }, (_, i) => {
    const community = Math.floor(random() ** 1.7 * groups);
    members[community]!.push(i);
    const weight = Math.max(1, Math.round((150 / (i + 1) ** 0.6) * (0.6 + random())));
    const name = random() < 0.6 ? `${word()} ${word()}` : word();
    return {
      key: `name ${i}`,
      name,
      kind: 'entity' as const,
      type: TYPES[below(TYPES.length)]!,
      weight,
      community,
    };
  });
  const edges = new Map<number, [number, number, number]>();
  for (let tries = 0; edges.size < ties && tries < 20 * ties; tries++) {
    const a = below(names);
    const near = random() < 0.87 ? members[nodes[a]!.community]! : null;
    const place = random() ** 2.2;
    const b = near === null ? Math.floor(place * names) : near[Math.floor(place * near.length)]!;
    if (a !== b)
      edges.set(Math.min(a, b) * names + Math.max(a, b), [
        Math.min(a, b),
        Math.max(a, b),
        1 + 9 * random() ** 4,
      ]);
  }
  return { nodes, edges: [...edges.values()], of: 3 * names };
}

await buildWeb();
const files = readBuild()!;
let network = made(10, 20);
const kb = {
  ...{ name: 'bench', path: '/bench.sqlite', made: 0, trouble: null, jobs: 0 },
  contents: { documents: 1, chunks: 1, vectors: 1, bytes: 1, embedder: null, folders: [], files: {} },
};
const server = createServer((request, response) => {
  const path = (request.url ?? '/').split('?')[0]!;
  const json = (body: unknown) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  if (path.endsWith('/graph/network')) return void json(network);
  if (path === '/kith/v1/entry') return void json({ token: 'bench' });
  if (path === '/kith/v1/status') return void json({});
  if (path === '/api/rag/kbs') return void json({ kbs: [kb], uploadBytes: 1 });
  if (path === '/api/rag/kbs/bench') return void json(kb);
  if (path === '/api/rag/kbs/bench/jobs') return void json({ jobs: [] });
  if (path === '/v1/models') return void json({ data: [] });
  const file = files.get(path.slice(1)) ?? files.get('index.html')!;
  response.writeHead(/^\/(kith|api)\//.test(path) ? 404 : 200, {
    'content-type': file.type,
    'content-security-policy': contentSecurityPolicy,
  });
  response.end(file.bytes);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const browser = await chromium.launch({
  executablePath: findBrowser() ?? 'chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});

const print = (what: string, value: string) => console.log(`${what.padEnd(48)}${value}`);
const at = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? Number.NaN;

for (const [names, ties] of runs) {
  network = made(names, ties);
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const figures = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  };
  await page.addInitScript(`
    globalThis.seen = { frames: [], asked: 0, first: 0, settled: 0 };
    new PerformanceObserver((list) => {
      for (const { name, responseEnd } of list.getEntries()) if (name.includes('/graph/network')) seen.asked = responseEnd;
    }).observe({ type: 'resource', buffered: true });
    (function look() {
      const text = document.querySelector('.graph-state')?.textContent ?? '';
      if (seen.first === 0 && /moving|is drawn/.test(text)) seen.first = performance.now();
      if (seen.settled === 0 && text.includes('is drawn')) seen.settled = performance.now();
      if (seen.settled === 0) requestAnimationFrame(look);
    })();
  `);
  await page.goto(`${url}/knowledge/bench/graph#enter=${'a'.repeat(43)}`);
  // A function, not a text: the page's policy lets no text run.
  await page.waitForFunction(
    () => (globalThis as unknown as { seen: { settled: number } }).seen.settled > 0,
    null,
    {
      timeout: 120_000,
    },
  );
  await page.waitForTimeout(500);
  const shown = (await page.evaluate('seen')) as { asked: number; first: number; settled: number };
  console.log(`\n${names} names, ${network.edges.length} ties`);
  print('answer of the node to first picture', `${(shown.first - shown.asked).toFixed(0)} ms`);
  print('answer of the node until it stands still', `${(shown.settled - shown.asked).toFixed(0)} ms`);
  const box = (await page.locator('.graph-map canvas').boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  for (const [what, closer] of [
    ['all of it', 0],
    ['closer, twice as large', 2],
    ['names everywhere', 5],
  ] as const) {
    await page.mouse.move(x, y);
    for (let turn = 0; turn < closer; turn++) await page.mouse.wheel(0, -200);
    await page.waitForTimeout(300);
    await page.evaluate(
      'seen.frames = []; seen.on = true; requestAnimationFrame(function next(now) { seen.frames.push(now); if (seen.on) requestAnimationFrame(next); })',
    );
    const before = await figures();
    await page.mouse.down();
    for (let step = 0; step < 150; step++) {
      await page.mouse.move(x + 110 * Math.sin(step / 9), y + 70 * Math.cos(step / 7));
      await page.waitForTimeout(12);
    }
    await page.mouse.up();
    const after = await figures();
    const frames = (await page.evaluate('seen.on = false, seen.frames')) as number[];
    const gaps = frames.slice(1).map((time, i) => time - frames[i]!);
    const each = (name: string) => ((1_000 * (after[name]! - before[name]!)) / frames.length).toFixed(1);
    print(
      `moved about, ${what}`,
      `script ${each('ScriptDuration')} ms a frame, all work ${each('TaskDuration')}; ` +
        `between frames p50 ${at(gaps, 0.5).toFixed(1)}, p95 ${at(gaps, 0.95).toFixed(1)} ms`,
    );
  }
  await devtools.send('HeapProfiler.collectGarbage');
  print('JavaScript heap of the page', `${((await figures()).JSHeapUsedSize! / 1e6).toFixed(1)} MB`);
  await page.close();
}
await browser.close();
server.close();
