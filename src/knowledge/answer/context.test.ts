import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { estimateTokens } from '../chunk/index.ts';
import type { StoredChunk } from '../store/index.ts';
import { buildContext, edgeOrder, placeText } from './context.ts';
import { chunkOf, hitOf } from './testing/chunks.ts';

function storeOf(chunks: readonly StoredChunk[]) {
  return {
    neighbours: (row: number, n: number) => {
      const own = chunks.find((chunk) => chunk.row === row)!;
      return chunks.filter(
        ({ document, position }) => document === own.document && Math.abs(position - own.position) <= n,
      );
    },
  };
}

test('hits get their neighbours, those beside each other become one source, and what is repeated is said once', () => {
  const chunks = [
    chunkOf(1, 0, 'Oak is hard. Fir is soft.'),
    chunkOf(1, 1, 'Fir is soft. Ash bends.'),
    chunkOf(1, 2, 'Elm is tough.'),
    chunkOf(1, 3, 'Yew is old.'),
    chunkOf(2, 0, 'Rain fell.'),
  ];
  const { sources } = buildContext(
    [hitOf(chunks[4]!), hitOf(chunks[1]!), hitOf(chunks[2]!)],
    storeOf(chunks),
    {
      budget: 1000,
    },
  );
  assert.deepEqual(
    sources.map(({ n, path, text, chunks: parts }) => [n, path, text, parts.length]),
    [
      [1, 'notes/2.md', 'Rain fell.', 1],
      [2, 'notes/1.md', 'Oak is hard. Fir is soft. Ash bends.\nElm is tough.\nYew is old.', 4],
    ],
  );
  assert.equal(sources[1]!.where, 'line 2');
});

test('what stands under another heading beside a hit is no part of its source', () => {
  const under = (position: number, title: string) => ({
    ...chunkOf(1, position, `Text ${position}.`),
    title,
  });
  const chunks = [under(0, 'Oak'), under(1, 'Ash'), under(2, 'Oak'), under(3, 'Oak')];
  const { sources } = buildContext([hitOf(chunks[1]!), hitOf(chunks[0]!)], storeOf(chunks), {
    ...{ budget: 1000, neighbours: 2 },
  });
  assert.deepEqual(
    sources.map(({ title, text }) => [title, text]),
    [
      ['Ash', 'Text 1.'],
      ['Oak', 'Text 0.'],
    ],
  );
});

test('the same content in two files is one source, and a text longer than the budget is cut at a sentence', () => {
  const one = chunkOf(1, 0, 'Oak is hard.');
  const copy = { ...chunkOf(2, 0, 'Oak is hard.'), id: one.id };
  assert.equal(
    buildContext([hitOf(one), hitOf(copy)], storeOf([one, copy]), { budget: 1000 }).sources.length,
    1,
  );
  const long = chunkOf(3, 0, 'Oak is a hard wood from the north. '.repeat(100).trim());
  const { sources, cut } = buildContext([hitOf(long)], storeOf([long]), { budget: 150 });
  assert.ok(cut && sources[0]!.text.endsWith('north.') && estimateTokens(sources[0]!.text) <= 150);
});

test('whatever the budget, hits come by rank before neighbours, kept chunks stay, and nothing is there twice', () => {
  const all = Array.from({ length: 40 }, (_, i) =>
    chunkOf(Math.floor(i / 8), i % 8, `Sentence ${i} of the text. `.repeat(1 + (i % 5)).trim()),
  );
  const store = storeOf(all);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(39), { minLength: 1, maxLength: 12 }),
      fc.uniqueArray(fc.nat(39), { maxLength: 3 }),
      fc.integer({ min: 60, max: 1500 }),
      fc.nat(2),
      (ranked, kept, budget, neighbours) => {
        const hits = ranked.map((i) => hitOf(all[i]!));
        const keep = kept.map((i) => all[i]!);
        const { sources, cut } = buildContext(hits, store, { budget, neighbours, keep });
        const rows = sources.flatMap(({ chunks }) => chunks.map(({ row }) => row));
        assert.equal(new Set(rows).size, rows.length);
        assert.ok(sources.length >= 1 && sources.length <= 8);
        assert.deepEqual(
          sources.map(({ n }) => n),
          sources.map((_, i) => i + 1),
        );
        if (!cut) {
          const used = sources
            .flatMap(({ chunks }) => chunks)
            .reduce((sum, { text }) => sum + estimateTokens(text), 0);
          assert.ok(used <= budget);
          // A hit or kept chunk is left out only when it did not fit or there were enough.
          const wanted = [...keep, ...ranked.map((i) => all[i]!)];
          assert.ok(rows.includes(wanted[0]!.row));
          if (budget >= 1400 && wanted.length <= 8)
            for (const { row } of wanted) assert.ok(rows.includes(row));
        }
        for (const { chunks } of sources)
          chunks.forEach((chunk, i) => {
            if (i > 0) assert.equal(chunk.position, chunks[i - 1]!.position + 1);
          });
      },
    ),
  );
});

test('order at the edges keeps every source: the best first, the second last', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 20 }), (items) => {
      const best = items.map((_, i) => i);
      const order = edgeOrder(best);
      assert.deepEqual(
        order.toSorted((a, b) => a - b),
        best,
      );
      if (best.length > 1) assert.deepEqual([order[0], order.at(-1)], [0, 1]);
    }),
  );
  assert.deepEqual(edgeOrder([1, 2, 3, 4, 5]), [1, 3, 5, 4, 2]);
  assert.equal(placeText({ sheet: 'Costs', page: 3 }), 'sheet Costs, page 3');
});
