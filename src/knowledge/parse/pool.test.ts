import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createParserPool } from './pool.ts';
import { docx } from './testing/office.ts';
import { parseOne } from './testing/parsed.ts';
import type { Parsed, ParseOptions, ParserPool, ParserPoolOptions, ParseSource } from './types.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-parse-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function collect(pool: ParserPool, source: ParseSource, options?: ParseOptions): Promise<Parsed[]> {
  const found: Parsed[] = [];
  for await (const parsed of pool.parse(source, options)) found.push(parsed);
  return found;
}

/** Long enough for a loaded machine: only the test of the limit itself wants it short. */
const open = (options: ParserPoolOptions = {}): ParserPool =>
  createParserPool({ timeMs: 120_000, ...options });

/** Markdown takes its parser seconds for each MB. */
const SLOW = Buffer.from('some *words* and `others` '.repeat(500_000));

const dump = (pages: number): string =>
  `<mediawiki>${Array.from({ length: pages }, (_, n) => `<page><title>P${n}</title><ns>0</ns><revision><text>Text of [[P${n + 1}]].</text></revision></page>`).join('')}</mediawiki>`;

test('a pool parses files by their path and by their bytes, as this process does', async () => {
  await using pool = open();
  const bytes = docx('Report', [{ heading: 1, text: 'One' }, { paragraph: 'Two.' }]);
  const path = join(folder, 'report.docx');
  await writeFile(path, bytes);
  const here = await parseOne('report.docx', bytes);
  const found = await Promise.all([
    collect(pool, { path }),
    collect(pool, { bytes, name: 'report.docx' }),
    collect(pool, { path, name: 'other.bin' }),
  ]);
  for (const parsed of found) assert.deepEqual(parsed, [here]);
});

test('files that cannot be opened are said to be so', async () => {
  await using pool = open({ processes: 1 });
  for (const path of [folder, join(folder, 'missing.txt')])
    await assert.rejects(collect(pool, { path }), { code: 'parse_unreadable', name: 'InputError' });
});

test('a file that takes too long is given up, and the next one is read', async () => {
  await using pool = createParserPool({ processes: 1, timeMs: 3_000 });
  const bytes = SLOW;
  await assert.rejects(collect(pool, { bytes, name: 'slow.md' }), {
    code: 'parse_timeout',
    message: /"slow\.md".*3000 ms/,
  });
  assert.equal((await collect(pool, { bytes: Buffer.from('text'), name: 'a.txt' })).length, 1);
});

test('a file that takes too much memory is given up, and the next one is read', async () => {
  await using pool = open({ processes: 1, memoryMb: 256 });
  const bytes = Buffer.from(`[${'{},'.repeat(8_000_000)}{}]`);
  await assert.rejects(collect(pool, { bytes, name: 'huge.json' }), {
    code: 'parse_memory',
    message: /256 MB/,
  });
  assert.equal((await collect(pool, { bytes: Buffer.from('text'), name: 'a.txt' })).length, 1);
});

test('a file that is larger than allowed is refused before it is read', async () => {
  await using pool = open({ limits: { bytes: 1_000 } });
  const path = join(folder, 'large.txt');
  await writeFile(path, 'x'.repeat(1_001));
  await assert.rejects(collect(pool, { path }), { code: 'parse_too_large', status: 413 });
});

test('a caller who leaves ends the work, waiting or under way, and the pool goes on', async () => {
  await using pool = open({ processes: 1 });
  const controller = new AbortController();
  const slow = collect(pool, { bytes: SLOW, name: 'slow.md' }, { signal: controller.signal });
  const waiting = collect(pool, { bytes: Buffer.from('a'), name: 'a.txt' }, { signal: controller.signal });
  const last = collect(pool, { bytes: Buffer.from('b'), name: 'b.txt' });
  const ended = [slow, waiting].map((parsing) => assert.rejects(parsing, { code: 'aborted' }));
  controller.abort();
  await Promise.all(ended);
  assert.equal((await last)[0]?.document.sections[0]?.blocks[0]?.text, 'b');
});

test('a dump comes page by page, and who leaves early leaves the process to the next file', async () => {
  await using pool = open({ processes: 1 });
  const path = join(folder, 'dump.xml');
  await writeFile(path, dump(200));
  const pages = await collect(pool, { path });
  assert.deepEqual(
    pages.map(({ page }) => page),
    Array.from({ length: 200 }, (_, n) => `P${n}`),
  );
  for await (const { page } of pool.parse({ path })) {
    assert.equal(page, 'P0');
    break;
  }
  assert.equal((await collect(pool, { bytes: Buffer.from('text'), name: 'a.txt' })).length, 1);
});

test('the pages before a fault of a dump come before its error', async () => {
  await using pool = open({ processes: 1 });
  const path = join(folder, 'broken.xml');
  await writeFile(path, dump(100).slice(0, -300));
  const found: string[] = [];
  await assert.rejects(
    async () => {
      for await (const { page } of pool.parse({ path })) found.push(page ?? '');
    },
    { code: 'parse_broken' },
  );
  assert.ok(found.length >= 90 && found.length < 100, `${found.length} pages`);
});

test('a pool that was closed ends what is under way and takes no more files', async () => {
  const pool = open({ processes: 1 });
  await collect(pool, { bytes: Buffer.from('a'), name: 'a.txt' });
  const slow = collect(pool, { bytes: SLOW, name: 'slow.md' });
  const ended = assert.rejects(slow, { code: 'aborted' });
  await setImmediate();
  await pool[Symbol.asyncDispose]();
  await ended;
  await assert.rejects(collect(pool, { bytes: Buffer.from('a'), name: 'a.txt' }), { code: 'parse_failed' });
});

test('a pool that is closed while a process starts leaves none behind', async () => {
  const pool = open({ processes: 1 });
  const first = assert.rejects(collect(pool, { bytes: Buffer.from('a'), name: 'a.txt' }), {
    code: 'parse_failed',
  });
  await setImmediate();
  await pool[Symbol.asyncDispose]();
  await first;
});
