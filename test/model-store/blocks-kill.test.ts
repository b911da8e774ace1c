/** Processes that are killed while they get blocks: what is noted is right, and what came is not fetched again. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSeededRandom } from '../../src/base/index.ts';
import { fileSource, pinnedList } from '../../src/models/index.ts';
import { testModel } from '../models/index.ts';
import { entryFrom, sameTensors } from './blocks-support.ts';
import { createHome, fileHandler, serve } from './fixtures.ts';

interface Note {
  readonly model: string;
  readonly sections: readonly (readonly [number, number])[];
}

/** Holds answers open once `count` bytes went out in all; `hold` tells where in the file that is. */
function holding(bytes: Uint8Array): { handle: RequestListener; hold(count: number): Promise<number> } {
  const whole = fileHandler(bytes);
  let left = Number.POSITIVE_INFINITY;
  let reached: (offset: number) => void = () => {};
  return {
    handle: (request, response) => {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')!;
      const from = Number(first);
      const length = Number(last) - from + 1;
      if (length <= left) {
        left -= length;
        return whole(request, response);
      }
      const now = left;
      left = 0;
      response.writeHead(206, {
        'content-length': length,
        'content-range': `bytes ${from}-${last}/${bytes.length}`,
      });
      response.write(bytes.subarray(from, from + now), () => reached(from + now));
    },
    hold(count) {
      left = count;
      return new Promise((resolve) => {
        reached = resolve;
      });
    },
  };
}

/** The sections that the note counts; each is hashed from the disk here. */
async function noted(home: string, id: string): Promise<number> {
  const text = await readFile(join(home, 'models', id, 'blocks.json'), 'utf8').catch(() => null);
  if (text === null) return 0;
  const note = JSON.parse(text) as Note;
  const list = pinnedList(note.model)!;
  await using file = await fileSource(join(home, 'models', id, 'blocks.gguf'));
  let count = 0;
  for (const [first, length] of note.sections)
    for (const { name, offset, bytes, sha256 } of list.sections.slice(first, first + length)) {
      const hash = createHash('sha256').update(await file.read(offset, bytes));
      assert.equal(hash.digest('hex'), sha256, name);
      count += 1;
    }
  return count;
}

/** Waits until the file has what stands before `offset`. */
async function written(path: string, offset: number): Promise<void> {
  for (;;) {
    await using file = await fileSource(path);
    const bytes = await file.read(offset - 20_000, 64);
    if (bytes.some((byte) => byte !== 0)) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function killed(
  home: string,
  id: string,
  range: readonly [number, number],
  url: string,
  reached: Promise<unknown>,
) {
  const script = join(import.meta.dirname, 'blocks-child.ts');
  const child = spawn(process.execPath, [script, home, id, ...range.map(String), url], { stdio: 'ignore' });
  const exit = once(child, 'exit');
  await reached;
  child.kill('SIGKILL');
  await exit;
}

test('killed at any byte, nothing unverified counts, and the next try goes on from what is right', async () => {
  const path = await testModel('stories15m-f16');
  const bytes = await readFile(path);
  const { handle, hold } = holding(bytes);
  await using server = await serve(handle);
  await using home = await createHome();
  const url = `${server.url}/m.gguf`;
  const range = [0, 6] as const;
  const random = createSeededRandom(11);
  for (let round = 0; round < 3; round += 1) {
    const before = await noted(home.path, 'stories15m');
    const reached = hold(1_000_000 + Math.floor(random.float() * 2_500_000));
    const file = join(home.path, 'models/stories15m/blocks.gguf');
    const moment = round === 0 ? reached : reached.then((offset) => written(file, offset));
    await killed(home.path, 'stories15m', range, url, moment);
    assert.ok((await noted(home.path, 'stories15m')) >= before);
  }
  hold(Number.POSITIVE_INFINITY);
  await using store = home.store({ catalogue: [entryFrom('stories15m', [url])] });
  const got = await store.ensureBlocks('stories15m', { from: 0, to: 6 }, { download: true });
  const all = pinnedList(entryFrom('stories15m').manifest.sha256)!.sections;
  const needed = all.filter(({ name }) => !/^(token_embd|output)/.test(name));
  const total = needed.reduce((sum, { bytes: one }) => sum + one, 0);
  // At least the header and some tensors of the killed tries were still there.
  assert.ok(got.fetchedBytes < total - 1_000_000, `${got.fetchedBytes} of ${total}`);
  assert.ok(await sameTensors(path, got.path, { from: 0, to: 6 }));
});

test('of a long fetch that is killed the most is noted already', async () => {
  const path = await testModel('tinyllama');
  const bytes = await readFile(path);
  const { handle, hold } = holding(bytes);
  await using server = await serve(handle);
  await using home = await createHome();
  const id = 'tinyllama-1.1b-chat';
  const reached = hold(60_000_000);
  await killed(home.path, id, [0, 10], `${server.url}/m.gguf`, reached);
  assert.ok((await noted(home.path, id)) > 20);
});
