import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { ByteSource } from '../types.ts';
import { bufferSource, concatSource, fileSource } from './source.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-source-'));
});
after(async () => {
  await rm(folder, { recursive: true });
});

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 0xff);

async function sourceOf(kind: string): Promise<ByteSource> {
  if (kind === 'buffer') return bufferSource(bytes);
  if (kind === 'concat') {
    const cuts = [0, 0, 1, 400, 400, 999, 1000];
    return concatSource(cuts.slice(1).map((end, i) => bufferSource(bytes.subarray(cuts[i], end))));
  }
  const path = join(folder, 'bytes');
  await writeFile(path, bytes);
  return await fileSource(path);
}

for (const kind of ['buffer', 'file', 'concat']) {
  test(`a ${kind} source reads any range within it and refuses every other`, async () => {
    const source = await sourceOf(kind);
    assert.equal(source.size, 1000);
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.nat(1000), async (a, b) => {
        const [from, to] = a < b ? [a, b] : [b, a];
        assert.deepEqual([...(await source.read(from, to - from))], [...bytes.subarray(from, to)]);
      }),
    );
    const bad = [
      [0, 1001],
      [1000, 1],
      [1001, 0],
      [-1, 1],
      [0, -1],
      [0.5, 1],
      [0, Number.NaN],
      [0, 2 ** 53],
      [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ] as const;
    for (const [offset, length] of bad) {
      await assert.rejects(source.read(offset, length), { code: 'source_short' }, `${offset}, ${length}`);
    }
    await assert.rejects(source.read(0, 10, AbortSignal.abort()), { code: 'aborted' });
    await source.close?.();
    await source.close?.();
  });
}

test('a file that became shorter is an error, not zeros', async () => {
  const path = join(folder, 'shrinks');
  await writeFile(path, bytes);
  await using source = await fileSource(path);
  await truncate(path, 500);
  await assert.rejects(source.read(400, 200), { code: 'source_short', message: /ends at byte 500/ });
});

test('what is no readable file is refused with its path', async () => {
  const expected = { code: 'source_unreadable' };
  await assert.rejects(fileSource(join(folder, 'absent')), { ...expected, message: /absent/ });
  await assert.rejects(fileSource(folder), { ...expected, message: /not a regular file/ });
});

test('closing a concatenation closes each part, also when one fails', async () => {
  const closed: number[] = [];
  const part = (n: number): ByteSource => ({
    ...bufferSource(bytes),
    async close() {
      closed.push(n);
      if (n === 1) throw new Error('part 1 does not close');
    },
  });
  await assert.rejects(concatSource([part(0), part(1), part(2)]).close(), /part 1/);
  assert.deepEqual(closed, [0, 1, 2]);
});
