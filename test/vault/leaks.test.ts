/** What Eves are sent and what lies on their disks has none of the texts, and no vector that points where one of the owner's does. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { serialize } from 'node:v8';
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { identityOf } from '../../src/identity/testing/credentials.ts';
import type { KnowledgeStore } from '../../src/knowledge/index.ts';
import { objectsOf } from '../../src/node/knowledge/vault-parts.ts';
import { sealedObjects } from '../../src/node/knowledge/vault-sealed.ts';
import { openSealedIndex } from '../../src/node/knowledge/vault-sealed-search.ts';
import { filledKb } from '../../src/node/vault-bench/plain.ts';
import { benchVectors } from '../../src/node/vault-bench/vectors.ts';
import {
  buildSplit,
  createCollection,
  createEve,
  createSplitSearcher,
  type LocalEve,
  type PlacedEve,
  rootOf,
  tenantAt,
} from '../../src/vault/index.ts';

const never = new AbortController().signal;
const data = benchVectors(300, 4, 192);
const [bob, root] = [identityOf('bob').peerId, rootOf(systemRandom.bytes(32))];
const textOf = (at: number): string => `Passage ${at}. Colonel Mustard hid it in the library. `.repeat(4);
const WORDS = ['Mustard', 'in the library', 'Passage 1', '.txt', 'compact/', 'split/'];
/** Numbers of a vector that are compared, and how nearly what is found has to point there. */
const [FIRST, NUMBERS, NEAR] = [16, 64, 0.9];

let base: string;
let store: KnowledgeStore;
let eves: LocalEve[];
let wire: Buffer[];

before(() => {
  base = mkdtempSync(join(tmpdir(), 'kith-leaks-'));
  store = filledKb(join(base, 'kb.sqlite'), data, textOf);
});
after(() => {
  store.close();
  rmSync(base, { recursive: true, force: true });
});

async function placed(of: string): Promise<PlacedEve[]> {
  [eves, wire] = [[], []];
  return await Promise.all(
    ['Ada', 'Ben'].map(async (operator) => {
      const eve = createEve({
        ...{ folder: join(base, of, operator), capacityBytes: 1e9, largestBytes: 1e9, days: 9, graceDays: 9 },
        ...{ reserveBytes: 0, clock: systemClock, log: silentLogger },
      });
      eves.push(eve);
      const peer = identityOf(operator).peerId;
      const tenant = tenantAt(peer, root.label('kb'), async (metadata, payload) => {
        const told = await eve.answer({ peer: bob, welcome: true, metadata, payload });
        const bytes = Uint8Array.from(told.payload ?? []);
        wire.push(serialize(metadata), serialize(told.metadata), Buffer.from(bytes));
        // What is put is looked for on the disk.
        if (metadata.op !== 'put') wire.push(Buffer.from(payload));
        return { metadata: told.metadata, payload: bytes };
      });
      await tenant.create(5e8, 5);
      return { peer, operator, tenant };
    }),
  );
}

/** Whether at some place vectors of 32-bit floats, or of integers of 8 or 16 bits, point where this one does. */
function pointsSo(bytes: Buffer, vector: Float32Array): boolean {
  const found = (row: Float32Array | Int8Array | Int16Array): boolean => {
    for (let at = 0; at + NUMBERS <= row.length; at++)
      if (cosine(row, at, vector, FIRST) > NEAR / 2 && cosine(row, at, vector, NUMBERS) > NEAR) return true;
    return false;
  };
  for (let from = 0; from < 4; from++) {
    const own = Uint8Array.from(bytes.subarray(from)).buffer;
    if (found(new Float32Array(own, 0, own.byteLength >> 2))) return true;
    if (from < 2 && found(new Int16Array(own, 0, own.byteLength >> 1))) return true;
  }
  return found(new Int8Array(Uint8Array.from(bytes).buffer));
}

function cosine(row: ArrayLike<number>, at: number, vector: Float32Array, numbers: number): number {
  let [sum, squares, own] = [0, 0, 0];
  for (let i = 0; i < numbers; i++) {
    const [a, b] = [row[at + i]!, vector[i]!];
    sum += a * b;
    squares += a * a;
    own += b * b;
  }
  return sum / Math.sqrt(squares * own);
}

function learnsNothing(of: string, vectors: readonly Float32Array[]): void {
  for (const eve of eves) eve[Symbol.dispose]();
  const disk = readdirSync(join(base, of, 'Ada'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  assert.ok(Buffer.concat(disk).length > 1e5 && Buffer.concat(wire).length > 1e4);
  for (const [where, bytes] of Object.entries({ disk: Buffer.concat(disk), wire: Buffer.concat(wire) })) {
    for (const word of WORDS) assert.ok(!bytes.includes(word), `${word} on the ${where}`);
    for (const vector of vectors) assert.ok(!pointsSo(bytes, vector), `a vector on the ${where}`);
  }
}

test('the search for vectors finds them where they lie as they are', () => {
  const bytes = readFileSync(join(base, 'kb.sqlite'));
  const wal = readFileSync(join(base, 'kb.sqlite-wal'));
  assert.ok(pointsSo(Buffer.concat([bytes, wal]), data.rows[7]!));
  const small = Buffer.from(Int8Array.from(data.rows[7]!, (value) => Math.round(400 * value)).buffer);
  assert.ok(pointsSo(Buffer.concat([Buffer.alloc(33, 1), small]), data.rows[7]!));
});

test('of what is placed sealed, and of a question', async () => {
  const collection = createCollection({
    ...{ id: 'kb', root, eves: await placed('sealed'), replicas: 2, random: systemRandom },
    ...{ clock: systemClock, log: silentLogger, reached: 0, onReached: () => {} },
  });
  {
    await using objects = await objectsOf(store, systemRandom, never);
    const { source, info } = await sealedObjects({
      ...{ objects, collection, embedder: store.embedder, signal: never, told: () => {} },
    });
    await collection.sync(source, { info, signal: never });
  }
  await using index = await openSealedIndex(collection, await collection.open(), systemClock, never);
  const { hits } = await index.search(data.queries[0]!, { k: 3, signal: never }, collection);
  assert.match(hits[0]!.text, /Mustard/);
  learnsNothing('sealed', [data.rows[7]!, data.queries[0]!]);
});

test('of what is placed split, and of a question', async () => {
  const at = await placed('split');
  const keys = root.keysOf('kb', 1);
  const index = await buildSplit(
    {
      ...{ count: data.rows.length, dimension: data.dimension },
      *items() {
        for (const [i, vector] of data.rows.entries()) yield { vector, text: Buffer.from(textOf(i)) };
      },
    },
    {
      ...{ keys, random: systemRandom, signal: never },
      async put(_id, block) {
        for (const { tenant } of at) await tenant.put(block);
      },
    },
  );
  const searcher = createSplitSearcher({
    ...{ keys, index, colours: { first: [at[0]!], second: [at[1]!] } },
    ...{ random: systemRandom, clock: systemClock, hedgeMs: 10_000 },
  });
  const { hits } = await searcher.search(data.queries[0]!, 3, never);
  assert.match(Buffer.from(hits[0]!.text).toString(), /Mustard/);
  learnsNothing('split', [data.rows[7]!, data.queries[0]!]);
});
