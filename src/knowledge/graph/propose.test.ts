import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mention } from '../types.ts';
import { ChunkNames } from './chunk-names.ts';
import { proposeMerges } from './propose.ts';

function proposals(...chunks: (readonly string[])[]) {
  const names = new ChunkNames();
  chunks.forEach((surfaces, i) => {
    names.put(
      i + 1,
      surfaces.map(
        (surface): Mention => ({ chunk: 0, surface, span: null, extractor: 'name', confidence: 0.9 }),
      ),
    );
  });
  return proposeMerges(names.compile()).map(({ alias, entity, reason }) => [alias, entity, reason]);
}

test('initials are proposed for the one full name that has them, with the name that both stand beside', () => {
  assert.deepEqual(
    proposals(['J. R. Smith', 'Atlas', 'Zoo'], ['John Ronald Smith', 'Atlas', 'Zoo'], ['Zoo']),
    [
      [
        'j r smith',
        'john ronald smith',
        "the initials of 'john ronald smith' and of no other name; both stand beside 'atlas'",
      ],
    ],
  );
});

test('nothing is proposed for initials of two names, or where nothing else speaks for it', () => {
  assert.deepEqual(proposals(['J. Smith', 'Atlas'], ['John Smith', 'Atlas'], ['Jane Smith', 'Atlas']), []);
  assert.deepEqual(proposals(['J. Smith', 'Atlas'], ['John Smith', 'Zoo']), []);
  assert.deepEqual(proposals(['J. Smith', 'Atlas'], ['Bob Smith', 'Atlas'], ['Smith', 'Atlas']), []);
});
