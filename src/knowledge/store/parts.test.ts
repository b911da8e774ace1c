import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createManualClock, createSeededRandom, encodeCbor } from '../../base/index.ts';
import type { Chunk, Mention } from '../types.ts';
import { openParts, PART_MAX_BYTES, writeParts } from './parts.ts';
import { openKnowledgeStore } from './store.ts';
import type { KnowledgeStore } from './types.ts';

const DIMENSION = 384;
const embedder = { id: 'test', hash: 'a'.repeat(64), dimension: DIMENSION };

describe('parts of a knowledge base', () => {
  let folder: string;
  let random: ReturnType<typeof createSeededRandom>;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kith-parts-'));
    random = createSeededRandom(4);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string) => join(folder, `${name}.sqlite`);

  function put(store: KnowledgeStore, path: string, chunks: number): void {
    const made: Chunk[] = Array.from({ length: chunks }, (_, position) => ({
      id: createHash('sha256').update(`${path}${position}${random.uint32()}`).digest('hex').slice(0, 32),
      ...{ position, title: path, text: `The ${position}th word of ${path}. `.repeat(20), tokens: 40 },
      place: { line: position + 1 },
    }));
    const vectors = Float32Array.from({ length: chunks * DIMENSION }, () => random.float() - 0.5);
    for (let i = 0; i < chunks; i++) {
      const row = vectors.subarray(i * DIMENSION, (i + 1) * DIMENSION);
      const norm = Math.hypot(...row);
      row.forEach((value, j) => {
        row[j] = value / norm;
      });
    }
    const mentions: Mention[] = made.map(({ position }) => ({
      ...{ chunk: position, surface: `Name ${position}`, span: [0, 5], extractor: 'name', confidence: 0.5 },
    }));
    store.put(
      {
        ...{ path, title: path, titled: true, type: 'md', hash: random.bytes(32), recipe: 'r', bytes: 9 },
        ...{ modified: 5, pages: null, properties: { year: 1999, kind: 'x' }, tags: ['a', 'b'], aliases: [] },
        ...{ links: [], notes: [] },
      },
      made,
      vectors,
      mentions,
      { stage: 'embedded', code: null, message: null, hash: null, recipe: 'r', bytes: 9, at: 7 },
    );
  }

  function made(): KnowledgeStore {
    const store = openKnowledgeStore({
      path: at('made'),
      create: { name: 'books', clock: createManualClock(1000), random },
      embedder,
    });
    for (let i = 0; i < 12; i++) put(store, `notes/${i}.md`, 1 + (i % 5));
    put(store, 'long.md', 1500);
    put(store, 'notes/3.md', 4);
    store.remove('notes/4.md');
    store.merge({ alias: 'name 1', entity: 'name 2', reason: 'same', made: 3 });
    return store;
  }

  const partsOf = (path: string): Map<string, Uint8Array> => {
    using parts = openParts(path);
    return new Map([...parts.names()].map((name) => [name, parts.read(name)!]));
  };
  const shaOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  const digests = (parts: ReadonlyMap<string, Uint8Array>) =>
    [...parts].map(([name, bytes]) => `${name} ${createHash('sha256').update(bytes).digest('hex')}`);

  test('make the same knowledge base again, whatever order they come in, byte for byte', async () => {
    {
      using store = made();
      await store.backup(at('copy'));
    }
    const parts = partsOf(at('copy'));
    assert.ok([...parts.values()].every(({ length }) => length <= PART_MAX_BYTES));
    assert.ok(parts.has('document/13/3'), 'a long document has several parts');
    await writeParts(at('again'), parts.values());
    assert.ok(!existsSync(`${at('again')}-wal`));
    await writeParts(at('backwards'), [...parts.values()].reverse());
    assert.equal(shaOf(at('again')), shaOf(at('backwards')));
    assert.deepEqual(digests(partsOf(at('again'))), digests(parts));

    using before = openKnowledgeStore({ path: at('copy') });
    using after = openKnowledgeStore({ path: at('again') });
    assert.deepEqual(after.check(), []);
    assert.deepEqual({ ...after.counts(), bytes: 0 }, { ...before.counts(), bytes: 0 });
    assert.deepEqual(after.documents(), before.documents());
    assert.deepEqual(after.merges(), before.merges());
    assert.deepEqual([after.id, after.name, after.embedder], [before.id, before.name, before.embedder]);
    // It goes on where the other was: rows are never given twice.
    put(before, 'new.md', 2);
    put(after, 'new.md', 2);
    assert.deepEqual(
      after.chunksOf('new.md').map(({ row }) => row),
      before.chunksOf('new.md').map(({ row }) => row),
    );
  });

  test('a change of one document changes its parts and no other document', async () => {
    using store = made();
    await store.backup(at('one'));
    const before = partsOf(at('one'));
    put(store, 'notes/7.md', 2);
    await store.backup(at('two'));
    const after = partsOf(at('two'));
    const changed = [...after].filter(([name, bytes]) => {
      const old = before.get(name);
      return name.startsWith('document/') && (old === undefined || Buffer.compare(old, bytes) !== 0);
    });
    assert.equal(changed.length, 1, changed.map(([name]) => name).join());
  });

  test('bytes that are no parts make no file', async () => {
    for (const bytes of [
      Uint8Array.of(1, 2, 3),
      encodeCbor([2, 1]),
      encodeCbor([1, 1, ['sqlite_schema', ['sql'], [['x']]]]),
      encodeCbor([1, 1, ['meta', ['id"; DROP TABLE meta; --'], [['x']]]]),
      encodeCbor([1, 1, ['document', ['id'], [['x', 'y']]]]),
      encodeCbor([1, 99_999]),
    ]) {
      await assert.rejects(writeParts(at('bad'), [bytes]), (error: { code?: string }) =>
        ['parts_invalid', 'cbor_invalid', 'database_newer'].includes(error.code ?? ''),
      );
      assert.ok(!existsSync(at('bad')));
    }
  });
});
