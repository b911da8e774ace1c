import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../base/index.ts';
import {
  CODES_OBJECTS,
  digestOf,
  encodeFit,
  encodePiece,
  FIT_OBJECT,
  type Manifest,
} from '../../vault/index.ts';
import { encodePlaces } from './vault-sealed-places.ts';
import { openSealedIndex } from './vault-sealed-search.ts';

const signal = new AbortController().signal;

/** A state of which only the names and sizes of objects count. */
function stateOf(names: readonly string[], size: number): Manifest {
  const entry = { segment: '', at: 0, bytes: 1, digest: new Uint8Array(16), key: new Uint8Array(32) };
  return {
    ...{ number: 1, state: '', row: null, epoch: 1, mode: 'sealed', pages: [], everywhere: [], info: {} },
    ...{ heads: new Map(), away: new Map(), fork: null },
    entries: new Map(names.map((name) => [name, { ...entry, name, size }])),
  };
}

test('an index that would take much memory is not read', async () => {
  const names = Array.from({ length: 300 }, (_, i) => `${CODES_OBJECTS}${i}.0`);
  let read = 0;
  const readSome = async () => {
    read += 1;
    return new Map<string, Uint8Array>();
  };
  const opening = openSealedIndex(
    { readSome },
    stateOf([FIT_OBJECT, ...names], 2 << 20),
    systemClock,
    signal,
  );
  await assert.rejects(opening, { code: 'vault_index_large' });
  assert.equal(read, 0);
});

test('an index of few bytes that names places without end is left', async () => {
  const fit = encodeFit({
    ...{ by: 'x', projection: null, from: 2, to: 2, error: 0 },
    ...{ means: new Float32Array(2), steps: new Float32Array(2) },
  });
  const about = encodePlaces(
    Array.from({ length: 20_000 }, () => ({ id: 1, path: '', modified: 0, runs: [] })),
  );
  const piece = encodePiece({ fit: digestOf(fit), count: 0, codes: new Uint8Array(0), about });
  const names = Array.from({ length: 1000 }, (_, i) => `${CODES_OBJECTS}${i}.0`);
  const objects = new Map<string, Uint8Array>([
    [FIT_OBJECT, fit],
    ...names.map((name) => [name, piece] as const),
  ]);
  const opening = openSealedIndex(
    { readSome: async () => objects },
    stateOf([FIT_OBJECT, ...names], 1000),
    systemClock,
    signal,
  );
  await assert.rejects(opening, { code: 'vault_index_large' });
});
