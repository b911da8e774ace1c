import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isKithError } from '../../src/base/index.ts';
import { createParserPool, type ParserPool, type ParseSource } from '../../src/knowledge/index.ts';
import { hostileFiles } from '../../src/knowledge/parse/testing/hostile/index.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-hostile-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function endOf(pool: ParserPool, source: ParseSource): Promise<string> {
  try {
    for await (const { document } of pool.parse(source)) assert.ok(document.notes.length <= 50);
    return 'ok';
  } catch (thrown) {
    if (isKithError(thrown)) return thrown.code;
    throw thrown;
  }
}

test('300 hostile files in a folder end each with a document or an error of its own, and sound ones between them are read', async () => {
  await using pool = createParserPool({ timeMs: 120_000 });
  const files = hostileFiles();
  assert.ok(files.length >= 300, `${files.length} files`);
  const wrong: string[] = [];
  const rest = files.entries();
  const work = async () => {
    for (const [index, { name, make, ends }] of rest) {
      const path = join(folder, name);
      await writeFile(path, make());
      const end = await endOf(pool, { path });
      await rm(path);
      if (!ends.includes(end)) wrong.push(`${name}: ${end}, and not ${ends.join(' or ')}`);
      if (index % 20 === 0) {
        const sound = await endOf(pool, { name: 'sound.md', bytes: Buffer.from('# A\n\ntext\n') });
        if (sound !== 'ok') wrong.push(`a sound file after ${name}: ${sound}`);
      }
    }
  };
  await Promise.all([work(), work()]);
  assert.deepEqual(wrong, []);
  // The limits of a file hold for each process; what is here is the pool alone.
  assert.ok(
    process.memoryUsage.rss() < 1_500 * 1024 * 1024,
    `${process.memoryUsage.rss()} bytes are resident`,
  );
});

/** A file of `bytes` bytes, written piece by piece. */
async function fill(path: string, bytes: number, piece: Buffer): Promise<void> {
  await using file = await open(path, 'w');
  for (let at = 0; at < bytes; at += piece.length)
    await file.write(piece, 0, Math.min(piece.length, bytes - at));
}

test('a text of 1 GB is refused by its size, whatever its name', async () => {
  await using pool = createParserPool();
  const path = join(folder, 'huge.txt');
  await fill(path, 1024 ** 3, Buffer.from('The engine weaves algebraic patterns. '.repeat(30_000)));
  for (const name of ['huge.txt', 'huge.md', 'huge.json', 'huge.pdf', 'huge'])
    assert.equal(await endOf(pool, { path, name }), 'parse_too_large');
});

test('as much text as a file may have is read within the limits of a process', async () => {
  await using pool = createParserPool({ timeMs: 300_000 });
  const path = join(folder, 'large.txt');
  await fill(
    path,
    64 * 1024 * 1024,
    Buffer.from('The engine weaves algebraic patterns.\nAnd flowers.\n\n'.repeat(20_000)),
  );
  const notes: string[] = [];
  for await (const { document } of pool.parse({ path }))
    notes.push(...document.notes.map(({ code }) => code));
  assert.deepEqual(notes, ['cut']);
});

test('a dump larger than any file may be is read page by page', async () => {
  await using pool = createParserPool({ timeMs: 300_000, limits: { bytes: 1_000_000 } });
  const path = join(folder, 'dump.xml');
  const text = "'''Ada''' wrote of [[engine]]s. ".repeat(50);
  const pages = 5_000;
  await using file = await open(path, 'w');
  await file.write('<mediawiki>');
  for (let page = 0; page < pages; page += 1)
    await file.write(
      `<page><title>P${page}</title><ns>0</ns><revision><text>${text}</text></revision></page>`,
    );
  await file.write('</mediawiki>');
  let next = 0;
  for await (const { page, document } of pool.parse({ path })) {
    assert.equal(page, `P${next}`);
    assert.deepEqual(
      document.links.map(({ target }) => target),
      ['engine'],
    );
    next += 1;
  }
  assert.equal(next, pages);
});
