import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom, isKithError, KithError, silentLogger, systemClock } from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import { createEve, type Eve } from '../eve/eve.ts';
import { rootOf } from '../keys/keys.ts';
import type { PlacedEve } from '../place/reader.ts';
import { type OwnTenant, tenantAt } from '../wire/tenant.ts';
import { buildPerturbed } from './build.ts';
import { rowBytesOf } from './form.ts';
import { decodePerturbedIndex, encodePerturbedIndex, type PerturbedIndex } from './index-file.ts';
import { createPerturbedSearcher } from './search.ts';

const COUNT = 4000;
const DIMENSION = 191;
const random = createSeededRandom(41);
const keys = rootOf(random.bytes(32)).keysOf('books', 1);
const LABEL = 'cd'.repeat(16);
const PLANTED = 'The blue notebook lies under the third stair.';

/** Around centres, as embeddings are. */
function vectors(count: number): Float32Array[] {
  const gauss = () => Array.from({ length: 6 }, () => random.float()).reduce((a, b) => a + b, 0) - 3;
  const centres = Array.from({ length: 60 }, () => Float32Array.from({ length: DIMENSION }, gauss));
  return Array.from({ length: count }, (_, i) => {
    const out = centres[i % centres.length]!.map((value) => value + 0.8 * gauss());
    const length = Math.hypot(...out);
    return out.map((value) => value / length);
  });
}

interface TestEve extends PlacedEve {
  readonly eve: Eve;
  readonly tenant: OwnTenant;
  up: boolean;
  /** Which byte of an answer she alters; -1: none. */
  alters: { op: string; at: number } | null;
  leavesOut: boolean;
  readonly asked: string[];
}

describe('searching perturbed vectors at one Eve', () => {
  const all = vectors(COUNT + 20);
  const stored = all.slice(0, COUNT);
  const queries = all.slice(COUNT);
  const textOf = (at: number) => Buffer.from(`${PLANTED} ${at} `.repeat(at % 50 === 7 ? 100 : 3));
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  let folder: string;
  let eves: TestEve[];
  let index: PerturbedIndex;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kith-perturbed-'));
    eves = ['Ada', 'Ben'].map((operator, i) => {
      const { peerId } = identityOf(`eve ${i}`);
      const eve = createEve({
        ...{ folder: join(folder, `${i}`), capacityBytes: 1e9, largestBytes: 1e9, days: 9, graceDays: 9 },
        ...{ reserveBytes: 0, clock: systemClock, log: silentLogger },
      });
      const one: TestEve = {
        ...{ peer: peerId, operator, eve, up: true, alters: null, leavesOut: false, asked: [] },
        tenant: tenantAt(peerId, LABEL, async (metadata, payload) => {
          if (!one.up) throw new KithError('swarm_unreachable', 'She is away.', { status: 503 });
          one.asked.push(String(metadata.op));
          const { peerId: peer } = identityOf('bob');
          const reply = await eve.answer({ peer, welcome: true, metadata, payload });
          let bytes = Uint8Array.from(reply.payload ?? []);
          if (one.alters?.op === metadata.op) bytes[one.alters!.at]! ^= 1;
          if (one.leavesOut && metadata.op === 'nearest')
            bytes = bytes.slice(bytes.length / (metadata.k as number));
          return { metadata: reply.metadata, payload: bytes };
        }),
      };
      return one;
    });
    for (const { tenant } of eves) await tenant.create(2e8, 9);
    index = await buildPerturbed(
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

  const searcherOf = (from = index, overFetch?: number, onFault: (peer: string) => void = () => {}) =>
    createPerturbedSearcher({
      ...{ keys, index: from, eves, clock: systemClock, hedgeMs: 20_000, onFault },
      ...(overFetch === undefined ? {} : { overFetch }),
    });

  test('finds what an exact search finds, with the texts, by what one object says', async () => {
    const searcher = searcherOf(decodePerturbedIndex(encodePerturbedIndex(index)));
    assert.ok(index.blocks.length > 1 && index.count === COUNT);
    let found = 0;
    for (const query of queries) {
      const want = new Set(
        stored
          .map((vector, at) => ({ at, score: dot(vector, query) }))
          .sort((a, b) => b.score - a.score)
          .slice(0, 10)
          .map(({ at }) => at),
      );
      const { hits, times } = await searcher.search(query, 10);
      found += hits.filter(({ at }) => want.has(at)).length;
      for (const [i, { at, score, text }] of hits.entries()) {
        assert.ok(Math.abs(score - dot(stored[at]!, query)) < 1e-3);
        assert.ok(i === 0 || score <= hits[i - 1]!.score);
        assert.equal(Buffer.from(text).toString(), textOf(at).toString());
      }
      assert.ok(times.bytesUp === DIMENSION * 4 && times.bytesDown > 0);
    }
    const recall = found / (queries.length * 10);
    console.log(`recall@10 ${recall} of ${COUNT} x ${DIMENSION}`);
    assert.ok(recall >= 0.99, `${recall}`);
    // One that is stored is nearest to itself.
    const { hits } = await searcher.search(stored[77]!, 1);
    assert.deepEqual(
      hits.map(({ at }) => at),
      [77],
    );
  });

  test('an Eve that is away or alters what was sealed changes nothing; what she leaves out nobody notices', async () => {
    const want = (await searcherOf().search(queries[0]!, 5)).hits;
    // Of two blocks the same Eve is asked first: each is made wrong in turn.
    for (const eve of eves)
      for (const fault of [
        'away',
        { op: 'nearest', at: 12 },
        { op: 'nearest', at: 0 },
        { op: 'get', at: 40 },
      ] as const) {
        const told: string[] = [];
        if (fault === 'away') eve.up = false;
        else eve.alters = fault;
        const { hits } = await searcherOf(index, undefined, (peer) => void told.push(peer)).search(
          queries[0]!,
          5,
        );
        assert.deepEqual(hits, want);
        eve.up = true;
        eve.alters = null;
        assert.ok(told.every((peer) => peer === eve.peer));
      }
    for (const eve of eves) eve.up = false;
    await assert.rejects(searcherOf().search(queries[0]!, 5), { code: 'vault_unreachable' });
    for (const eve of eves) eve.up = true;
    // Fewer rows than there are do show.
    for (const eve of eves) eve.leavesOut = true;
    await assert.rejects(searcherOf().search(queries[0]!, 5), { code: 'vault_unreachable' });
    for (const eve of eves) eve.leavesOut = false;
  });

  test('neither text nor vector lies at an Eve as it is', async () => {
    const numbers = Buffer.from(stored[7]!.buffer, 0, 16);
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = readFileSync(join(entry.parentPath, entry.name));
      assert.ok(!bytes.includes('notebook') && !bytes.includes(numbers), entry.name);
    }
    // What she has points nowhere near what it was, for who knows no pair.
    const block = await eves[0]!.tenant.get(index.blocks[0]!.id, null);
    for (let row = 0; row < 50; row++) {
      const from = row * rowBytesOf(DIMENSION);
      const has = new Float32Array(block.slice(from, from + DIMENSION * 4).buffer);
      assert.ok(Math.abs(dot(has, stored[row]!)) / Math.sqrt(dot(has, has)) < 0.5);
    }
  });

  test('forms that no block has are refused, and nobody searches the tenant of another', async () => {
    const [{ tenant, eve }] = eves as [TestEve];
    const ids = index.blocks.map(({ id }) => id);
    const query = new Float32Array(DIMENSION);
    const rowBytes = rowBytesOf(DIMENSION);
    const form = { dimension: DIMENSION, rowBytes, k: 3 };
    assert.equal((await tenant.nearest(ids, form, query)).length, 3);
    for (const bad of [
      { ...form, k: 0 },
      { ...form, k: 257 },
      { ...form, rowBytes: DIMENSION * 4 - 4 },
      { ...form, rowBytes: rowBytes + 2 },
      { dimension: 1, rowBytes: 60, k: 3 },
      { dimension: DIMENSION, rowBytes: 32 << 10, k: 256 },
      { ...form, dimension: DIMENSION + 1 },
    ])
      await assert.rejects(tenant.nearest(ids, bad, query), { code: 'vault_malformed' });
    await assert.rejects(tenant.nearest(ids, { ...form, rowBytes: rowBytes + 4 }, query), {
      code: 'storage_form',
    });
    await assert.rejects(tenant.nearest(['00'.repeat(32)], form, query), { code: 'storage_no_block' });
    const other = tenantAt('eve', LABEL, async (metadata, payload) => {
      const reply = await eve.answer({
        peer: identityOf('mallory').peerId,
        welcome: true,
        metadata,
        payload,
      });
      return { metadata: reply.metadata, payload: reply.payload ?? new Uint8Array(0) };
    });
    await assert.rejects(other.nearest(ids, form, query), { code: 'storage_no_tenant' });
    // What was removed is searched no more, though it was in memory.
    const id = await tenant.put(new Uint8Array(rowBytes));
    assert.equal((await tenant.nearest([id], form, query)).length, 1);
    await tenant.remove([id]);
    await assert.rejects(tenant.nearest([id], form, query), { code: 'storage_no_block' });
  });

  test('an index that was altered is damaged, whatever is wrong with it', async () => {
    const sound = encodePerturbedIndex(index);
    fc.assert(
      fc.property(fc.nat(sound.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Uint8Array.from(sound);
        bytes[at]! ^= change;
        try {
          const read = decodePerturbedIndex(bytes);
          assert.equal(
            read.blocks.reduce((sum, { count }) => sum + count, 0),
            read.count,
          );
        } catch (error) {
          assert.ok(isKithError(error) && error.code === 'vault_damaged', String(error));
        }
      }),
      { numRuns: 300 },
    );
    const empty = await buildPerturbed(
      { count: 0, dimension: 8, items: () => [] },
      { keys, random, put: () => Promise.reject(new Error('Nothing is put.')) },
    );
    assert.deepEqual(decodePerturbedIndex(encodePerturbedIndex(empty)), empty);
    await assert.rejects(
      buildPerturbed({ count: 1, dimension: 4097, items: () => [] }, { keys, random, put: async () => {} }),
      { code: 'perturbed_dimension' },
    );
  });
});
