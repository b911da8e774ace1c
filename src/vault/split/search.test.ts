import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createSeededRandom, KithError, silentLogger, systemClock, systemRandom } from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import { createEve, type Eve } from '../eve/eve.ts';
import { rootOf } from '../keys/keys.ts';
import type { PlacedEve } from '../place/reader.ts';
import { openWithNonce } from '../seal/record.ts';
import { type OwnTenant, tenantAt } from '../wire/tenant.ts';
import { buildSplit } from './build.ts';
import { coloursOf } from './colours.ts';
import { decodeIndex, encodeIndex, type SplitIndex } from './index-file.ts';
import { indexObjects, readIndex } from './index-objects.ts';
import { openRow } from './rows.ts';
import { type Colours, createSplitSearcher } from './search.ts';

const COUNT = 2100;
const DIMENSION = 224;
const random = createSeededRandom(77);
const keys = rootOf(random.bytes(32)).keysOf('books', 1);
const LABEL = 'cd'.repeat(16);

/** As embeddings are: around centres, in fewer directions than they have numbers. */
function vectors(count: number): Float32Array[] {
  const gauss = () => Array.from({ length: 6 }, () => random.float()).reduce((a, b) => a + b, 0) - 3;
  const directions = Array.from({ length: 120 }, () => Float32Array.from({ length: DIMENSION }, gauss));
  const centres = Array.from({ length: 40 }, () => Float32Array.from({ length: 120 }, gauss));
  return Array.from({ length: count }, (_, i) => {
    const centre = centres[i % centres.length]!;
    const out = new Float32Array(DIMENSION);
    for (const [j, direction] of directions.entries()) {
      const weight = centre[j]! + 0.7 * gauss();
      for (let d = 0; d < DIMENSION; d++) out[d]! += weight * direction[d]!;
    }
    const length = Math.hypot(...out);
    return out.map((value) => value / length);
  });
}

describe('searching at two Eves', () => {
  const all = vectors(COUNT + 20);
  const stored = all.slice(0, COUNT);
  const queries = all.slice(COUNT);
  const textOf = (at: number) => Buffer.from(`text ${at} `.repeat(at % 50 === 7 ? 400 : 8));
  let folder: string;
  let eves: (PlacedEve & {
    readonly eve: Eve;
    readonly tenant: OwnTenant;
    up: boolean;
    lies: boolean;
    bends: boolean;
  })[];
  let index: SplitIndex;
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const exact = (query: Float32Array, k: number) =>
    stored
      .map((vector, at) => ({ at, score: dot(vector, query) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, k)
      .map(({ at }) => at);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kith-split-'));
    eves = ['Ada', 'Ada', 'Ben', 'Ben'].map((operator, i) => {
      const { peerId } = identityOf(`eve ${i}`);
      const eve = createEve({
        ...{ folder: join(folder, `${i}`), capacityBytes: 1e9, largestBytes: 1e9, days: 9, graceDays: 9 },
        ...{ reserveBytes: 0, clock: systemClock, log: silentLogger },
      });
      const one = {
        ...{ peer: peerId, operator, eve, up: true, lies: false, bends: false },
        tenant: tenantAt(peerId, LABEL, async (metadata, payload) => {
          if (!one.up) throw new KithError('swarm_unreachable', 'She is away.', { status: 503 });
          const reply = await eve.answer({
            peer: identityOf('bob').peerId,
            welcome: true,
            metadata,
            payload,
          });
          const bytes = Uint8Array.from(reply.payload ?? []);
          if (one.lies && metadata.op === 'score') bytes[2 * 77 + 1]! ^= 1;
          // The last row that is asked for, which nobody wanted.
          if (one.bends && metadata.op === 'gather') bytes[bytes.length - 1]! ^= 1;
          return { metadata: reply.metadata, payload: bytes };
        }),
      };
      return one;
    });
    for (const { tenant } of eves) await tenant.create(5e8, 9);
    index = await buildSplit(
      {
        ...{ count: COUNT, dimension: DIMENSION },
        items: () => stored.map((vector, at) => ({ vector, text: textOf(at) })),
      },
      {
        ...{ keys, random },
        async put(_id, block) {
          for (const { tenant } of eves) await tenant.put(block);
        },
      },
    );
  });
  after(() => {
    for (const { eve } of eves) eve[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const colours = (): Colours => ({ first: eves.slice(0, 2), second: eves.slice(2) });
  const searcherOf = (over: Colours = colours(), from = index, onFault: (peer: string) => void = () => {}) =>
    createSplitSearcher({
      keys,
      index: from,
      colours: over,
      random: systemRandom,
      clock: systemClock,
      hedgeMs: 20_000,
      onFault,
    });

  test('finds what an exact search finds, with the texts, from what is sealed in one object', async () => {
    const searcher = searcherOf(colours(), decodeIndex(encodeIndex(index)));
    let found = 0;
    for (const query of queries) {
      const { hits, times } = await searcher.search(query, 10);
      const want = new Set(exact(query, 10));
      found += hits.filter(({ at }) => want.has(at)).length;
      for (const { at, score, text } of hits) {
        assert.ok(Math.abs(score - dot(stored[at]!, query)) < 1e-3);
        assert.equal(Buffer.from(text).toString(), textOf(at).toString());
      }
      assert.ok(times.bytesUp > 0 && times.bytesDown > 0);
    }
    assert.ok(found / (queries.length * 10) >= 0.997, `${found} of ${queries.length * 10}`);
  });

  test('one Eve of each colour that is away or alters scores changes nothing', async () => {
    const want = (await searcherOf().search(queries[0]!, 10)).hits.map(({ at }) => at);
    for (const fault of ['up', 'lies', 'bends'] as const)
      for (const bad of [[0], [2], [0, 2], [1, 3]]) {
        for (const i of bad) eves[i]![fault] = fault !== 'up';
        const { hits } = await searcherOf().search(queries[0]!, 10);
        assert.deepEqual(
          hits.map(({ at }) => at),
          want,
          `${fault} ${bad.join()}`,
        );
        for (const i of bad) eves[i]![fault] = fault === 'up';
      }
  });

  test('a row that was altered is noticed, also where nobody wanted it', async () => {
    const told: string[] = [];
    eves[0]!.bends = true;
    await searcherOf(colours(), index, (peer) => void told.push(peer)).search(queries[0]!, 1);
    eves[0]!.bends = false;
    assert.ok(told.some((peer) => peer.includes(eves[0]!.peer)));
  });

  test('a row opens by the name of its table, which goes with the index, and not by the key alone', async () => {
    const { name, rowBytes, blocks } = index.texts;
    const row = (await eves[0]!.tenant.get(blocks[0]!, null)).subarray(0, rowBytes);
    const key = keys.key('rows');
    assert.equal(Buffer.from(openRow(key, name, 0, row).bytes).toString(), textOf(0).toString());
    const damaged = { code: 'vault_damaged' };
    assert.throws(() => openRow(key, name, 1, row), damaged);
    assert.throws(() => openRow(key, index.vectors.name, 0, row), damaged);
    const bound = Buffer.from(`kith-row-v1\0${name}\x000\0`);
    assert.throws(() => openWithNonce(key, bound, row, 'row 0'), damaged);
  });

  test('both halves of a question never go to one operator', () => {
    const { first, second } = colours();
    for (const bad of [
      { first, second: first },
      { first: [...first, second[0]!], second },
      { first: [], second },
      { first: [{ ...first[0]!, operator: null }], second: [{ ...first[0]!, operator: null }] },
    ])
      assert.throws(() => searcherOf(bad), { code: 'split_operators' });
  });

  test('operators are dealt to two colours, and there have to be two that are named', () => {
    const of = (...operators: (string | null)[]) =>
      coloursOf(operators.map((operator, i) => ({ peer: `p${i}`, operator })));
    assert.deepEqual(of('Ben', 'Ada', 'Ben', 'Cleo'), {
      first: [
        { peer: 'p1', operator: 'Ada' },
        { peer: 'p3', operator: 'Cleo' },
      ],
      second: [
        { peer: 'p0', operator: 'Ben' },
        { peer: 'p2', operator: 'Ben' },
      ],
    });
    for (const bad of [[], ['Ada'], ['Ada', 'Ada'], ['Ada', null], [null, null]])
      assert.throws(() => of(...bad), { code: 'split_operators' });
  });

  test('an index is cut into objects and read from all of them, or not at all', async () => {
    const objects = indexObjects(index, 50_000);
    assert.ok(objects.size > 2 && objects.size <= 8, `${objects.size}`);
    const read = async (name: string) => objects.get(name)!;
    const again = await readIndex(['document/1/0', ...objects.keys()].toReversed(), read);
    assert.deepEqual(encodeIndex(again), encodeIndex(index));
    const [last] = [...objects.keys()].slice(-1);
    for (const names of [[], ['document/1/0'], [...objects.keys()].filter((name) => name !== last)])
      await assert.rejects(readIndex(names, read), { code: 'vault_damaged' });
  });

  test('an index that was changed is damaged', () => {
    const bytes = encodeIndex(index);
    for (const bad of [bytes.subarray(1), bytes.subarray(0, 100), Uint8Array.of(1), new Uint8Array(0)])
      assert.throws(() => decodeIndex(bad), { code: 'vault_damaged' });
  });
});
