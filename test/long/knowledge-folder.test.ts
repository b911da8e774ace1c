/**
 * A folder of hostile files, taken in by a node as its user runs it.
 *
 * KITH_TEST_REAL: folder with sound files of any formats (searched to its bottom) whose pieces are taken, too.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { glob, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileView, SearchView } from '../../src/server/index.ts';
import { begin, kith, type Running, stopAll } from '../cli-support.ts';
import { isClear, makeHostileFolder } from '../knowledge/hostile-folder.ts';
import { type Rag, ragOf } from '../knowledge/rag-support.ts';
import { createHome, type TestHome } from '../node-support.ts';

let home: TestHome;
let node: Running;
let url: string;
before(async () => {
  home = await createHome();
  node = begin(['start', '--home', home.path]);
  await node.said('ready');
  const { out } = await kith(['status', '--json', '--home', home.path]);
  ({ url } = JSON.parse(out) as { url: string });
});
after(async () => {
  stopAll();
  await node?.ended;
  await home.remove();
});

const FORMATS = 'md txt rst html json yaml toml csv pdf docx doc pptx xlsx epub eml xml'.split(' ');
/** Of each format. */
const EACH = 3;

/** A few sound files of each format: of the folder that is given, and of the packages that this project needs. */
async function realFiles(): Promise<string[]> {
  const found = new Map<string, string[]>();
  for (const cwd of [process.env.KITH_TEST_REAL, join(import.meta.dirname, '../../node_modules')]) {
    if (cwd === undefined || cwd === '') continue;
    for await (const name of glob(`**/*.{${FORMATS.join(',')}}`, { cwd })) {
      const list = found.get(extname(name)) ?? [];
      if (list.length >= EACH) continue;
      const facts = await stat(join(cwd, name)).catch(() => null);
      if (facts?.isFile() && facts.size > 2_000 && facts.size < 2_000_000)
        found.set(extname(name), [...list, join(cwd, name)]);
    }
  }
  return [...found.values()].flat();
}

/** Bytes resident of a process and all below it. */
function resident(root: number): { readonly all: number; readonly largest: number; readonly node: number } {
  const parents = new Map<number, number>();
  const pages = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const facts = readFileSync(`/proc/${name}/stat`, 'latin1');
      const fields = facts.slice(facts.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(name), Number(fields[1]));
      pages.set(Number(name), Number(fields[21]));
    } catch {
      // It ended.
    }
  }
  const isBelow = (pid: number): boolean => {
    for (let at = pid, steps = 0; at > 1 && steps < 50; at = parents.get(at) ?? 0, steps++)
      if (at === root) return true;
    return false;
  };
  let all = 0;
  let largest = 0;
  for (const [pid, count] of pages)
    if (isBelow(pid)) {
      all += count * 4096;
      largest = Math.max(largest, count * 4096);
    }
  return { all, largest, node: (pages.get(root) ?? 0) * 4096 };
}

async function filesIn(rag: Rag): Promise<FileView[]> {
  const all: FileView[] = [];
  for (let after = ''; ; ) {
    const { files } = await rag<{ files: FileView[] }>(
      'GET',
      `/hostile/files?limit=500${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`,
    );
    if (files.length === 0) return all;
    all.push(...files);
    after = files.at(-1)!.path;
  }
}

test('a folder of more than 300 hostile files is taken in to its end, each file with a document or an error that names it', async (t) => {
  if (process.platform !== 'linux') return t.skip('pipes, devices and /proc of Linux');
  await using hostile = await makeHostileFolder({ real: await realFiles(), large: true });
  assert.ok(hostile.files.length >= 300, `${hostile.files.length} files`);
  const rag = await ragOf({ url }, home.path);
  const run = (...args: string[]) => kith(['rag', ...args, '--home', home.path]);
  assert.equal((await run('init', 'hostile')).code, 0);

  let over = false;
  const peak = { all: 0, largest: 0, node: 0 };
  const waits: number[] = [];
  const watching = (async () => {
    while (!over) {
      const now = resident(node.child.pid!);
      for (const key of ['all', 'largest', 'node'] as const) peak[key] = Math.max(peak[key], now[key]);
      const from = performance.now();
      assert.equal((await fetch(`${url}/health`)).status, 200);
      waits.push(performance.now() - from);
      if (waits.length % 10 === 0) {
        const { hits } = await rag<SearchView>('POST', '/hostile/search', { query: 'sound', mode: 'words' });
        assert.ok(Array.isArray(hits));
      }
      await sleep(500);
    }
  })();
  const from = performance.now();
  const taken = await run('ingest', 'hostile', hostile.path);
  const seconds = (performance.now() - from) / 1000;
  over = true;
  await watching;
  await hostile.stopChanging();
  assert.equal(taken.code, 3, taken.err);
  assert.doesNotMatch(taken.err + taken.out, /\n\s+at |node:internal|file:\/\//);

  const top = basename(hostile.path);
  const states = new Map((await filesIn(rag)).map((state) => [state.path, state]));
  const wrong: string[] = [];
  const codes: Record<string, number> = {};
  const ended = (name: string): FileView | undefined => states.get(`${top}/${name}`.normalize('NFC'));
  for (const name of hostile.files) {
    const state = ended(name);
    const end = state?.error?.code ?? state?.stage ?? 'none';
    codes[end] = (codes[end] ?? 0) + 1;
    if (state === undefined) wrong.push(`${name}: nothing is known of it`);
    else if (state.stage === 'failed') {
      const { code, message } = state.error ?? { code: '', message: '' };
      if (!isClear(name, code, message)) wrong.push(`${name}: ${code} ${JSON.stringify(message)}`);
    } else if (state.stage !== 'done') wrong.push(`${name}: ${state.stage}`);
  }
  for (const name of hostile.sound) if (ended(name)?.stage !== 'done') wrong.push(`${name} is sound`);
  for (const name of hostile.others) if (ended(name) !== undefined) wrong.push(`${name} was taken in`);
  for (const name of ['growing.txt', 'swapped.md', 'replaced.pdf'])
    if (!['done', 'failed', undefined].includes(ended(name)?.stage))
      wrong.push(`${name}: ${ended(name)!.stage}`);
  assert.deepEqual(wrong, []);
  const { hits } = await rag<SearchView>('POST', '/hostile/search', {
    query: 'secret not in the folder root',
  });
  assert.ok(hits.every(({ path }) => !/secret|passwd|out\//.test(path)));

  waits.sort((a, b) => a - b);
  const mb = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
  t.diagnostic(
    JSON.stringify({
      ...{ files: hostile.files.length, seconds: Math.round(seconds), codes },
      peak: { all: mb(peak.all), node: mb(peak.node), largest: mb(peak.largest) },
      health: { asked: waits.length, median: waits[waits.length >> 1], most: waits.at(-1) },
    }),
  );
  t.diagnostic(taken.out);
  t.diagnostic(taken.err.slice(0, 3000));
  // Two parser processes of 512 MB, the engine with its model, and the node.
  assert.ok(peak.all < 3 * 2 ** 30, mb(peak.all));
});
