/** Turns at the blocks of a real engine: the order in which steps are done, not how long they take. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testModel } from '../../../test/models/index.ts';
import { silentLogger, systemClock, systemRandom } from '../../base/index.ts';
import { createEngine } from './engine.ts';
import type { CellLease } from './types.ts';

const WIDTH = 288;
const engine = createEngine({
  threads: 1,
  device: 'cpu',
  context: 256,
  kvCells: 1024,
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});
const leases: CellLease[] = [];
const signal = new AbortController().signal;

before(async () => {
  const path = await testModel('stories15m-f16');
  await engine.load({ id: 'blocks', path, range: { from: 0, to: 3, embed: false, head: false } });
});
after(() => engine[Symbol.asyncDispose]());

async function lend(holder: string): Promise<CellLease> {
  const lease = await engine.lease('blocks', 64, { holder });
  leases.push(lease);
  return lease;
}

/** Steps of `rows` rows each, one after the other; notes the name as each is done. */
function send(lease: CellLease, name: string, rows: number, steps: number, done: string[]): Promise<unknown> {
  return Promise.all(
    Array.from({ length: steps }, (_, i) => {
      const cells = Int32Array.from({ length: rows }, (_, row) => i * rows + row);
      const part = { start: i * rows, count: rows, after: i * rows - 1, cells, outputs: 'last' as const };
      return lease.step([part], new Float32Array(rows * WIDTH).fill(0.1), signal).then(() => {
        done.push(name);
      });
    }),
  );
}

test('a holder of many leases gets no more turns for long steps than one of a single lease', async () => {
  const many = await Promise.all(Array.from({ length: 4 }, () => lend('many')));
  const one = await lend('one');
  const done: string[] = [];
  const sent = many.map((lease) => send(lease, 'many', 16, 4, done));
  sent.push(send(one, 'one', 16, 4, done));
  await Promise.all(sent);
  // Some of the many's may be under way before the first of the other's is here; from then on they take turns.
  const first = done.indexOf('one');
  assert.ok(first <= 4, done.join(' '));
  assert.deepEqual(done.slice(first, first + 7), ['one', 'many', 'one', 'many', 'one', 'many', 'one']);
  assert.equal(done.length, 20);
});

test('short steps have their turn between long ones, whoever sent more', async () => {
  const long = await lend('long');
  const short = await lend('short');
  const done: string[] = [];
  await Promise.all([send(long, 'long', 32, 2, done), send(short, 'short', 1, 3, done)]);
  assert.ok(done.lastIndexOf('long') > done.indexOf('short'), done.join(' '));
  assert.equal(done.length, 5);
});

test('a name is a holder only while leases of his are open', async () => {
  for (const lease of leases.splice(0)) await lease[Symbol.asyncDispose]();
  const again = await lend('many');
  const done: string[] = [];
  await send(again, 'many', 16, 1, done);
  assert.deepEqual(done, ['many']);
  await again[Symbol.asyncDispose]();
  const all = await engine.lease('blocks', 1024);
  assert.equal(all.cells, 1024);
});
