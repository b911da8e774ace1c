import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { Embedder } from '../types.ts';
import { extractAnswer, openingsOfEach } from './extract.ts';
import { sourceOf } from './testing/chunks.ts';

const found = { degraded: { code: 'no_embedder', message: 'none' } };
const extract = async (question: string, texts: readonly string[], options = {}) => {
  const sources = texts.map((text, i) => sourceOf(i + 1, text));
  return (await extractAnswer(question, found, sources, null, options)).extracts;
};
const said = async (question: string, texts: readonly string[]) =>
  (await extract(question, texts)).map(({ sentence }) => sentence);

test('what is asked for decides between sentences with the same words', async () => {
  const text =
    'The Ardle Bridge was designed by Eilidh Stewart. The Ardle Bridge was finished in May 1884. The Ardle Bridge has 14 piers below it.';
  assert.match((await said('Who is behind the Ardle Bridge?', [text]))[0]!, /Eilidh/);
  assert.match((await said('How many piers does the Ardle Bridge have?', [text]))[0]!, /14 piers/);
  const [first] = await extract('When was the Ardle Bridge finished?', [text], { most: 1 });
  assert.match(first!.sentence, /1884/);
});

test('copies and near copies are given once, other numbers are no copies, and questions are no answers', async () => {
  const answers = await said('How long is the Ardle Bridge?', [
    'How long is the Ardle Bridge? The Ardle Bridge is 1,250 metres long.',
    'The Ardle Bridge is 1,250 metres long.',
    'The long Ardle Bridge is 1,250 metres long, they say.',
    'The Ardle Bridge is 1,300 metres long.',
  ]);
  assert.deepEqual(answers, [
    'The Ardle Bridge is 1,250 metres long.',
    'The Ardle Bridge is 1,300 metres long.',
  ]);
});

test('an embedder that fails leaves the words, and the answer says so', async () => {
  const embedder: Embedder = {
    ...{ id: 'broken', hash: 'broken', dimension: 4, window: 100 },
    embed: () => Promise.reject(new Error('no power')),
    countTokens: async (texts) => texts.map(() => 1),
  };
  const sources = [sourceOf(1, 'The Ardle Bridge has 14 piers.')];
  const { extracts, degraded } = await extractAnswer(
    'How many piers?',
    { degraded: null },
    sources,
    embedder,
  );
  assert.deepEqual([extracts.length, degraded], [1, 'no power']);
});

test('sentences are bounded, stand in their source word for word, and are kept together by source', async () => {
  const word = fc.constantFrom('oak', 'elm', 'river', 'stone', 'bridge', 'lamp', '1884', 'Ardle');
  const sentence = fc
    .array(word, { minLength: 4, maxLength: 12 })
    .map((words) => `${words.join(' ').replace(/^./u, (first) => first.toUpperCase())}.`);
  const text = fc.array(sentence, { minLength: 1, maxLength: 8 }).map((sentences) => sentences.join(' '));
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { maxLength: 6 }),
      fc.integer({ min: 1, max: 5 }),
      async (texts, most) => {
        const extracts = await extract('bridge over the river', texts, { most, longest: 200 });
        assert.ok(extracts.length <= most);
        assert.ok(extracts.slice(1).reduce((sum, each) => sum + each.sentence.length, 0) <= 200);
        const order = extracts.map(({ source }) => source.n);
        assert.equal(order.filter((n, i) => n !== order[i - 1]).length, new Set(order).size);
        for (const { source, sentence: given } of extracts) {
          assert.ok(source.text.includes(given));
          assert.match(given, /bridge|river/iu);
        }
      },
    ),
  );
});

test('an overview opens each source with a sentence of its own, and leaves scraps, copies and what points back', () => {
  const sources = [
    'Options\n\nThe boat is painted green each spring. Its sails are white.',
    'The boat is painted green each spring.',
    'This is why the roof leaks again. The roof of the house needs new tiles.',
  ].map((text, i) => sourceOf(i + 1, text));
  assert.deepEqual(
    openingsOfEach(sources).map(({ source, sentence }) => [source.n, sentence]),
    [
      [1, 'The boat is painted green each spring.'],
      [3, 'The roof of the house needs new tiles.'],
    ],
  );
  assert.equal(openingsOfEach(sources, { most: 1 }).length, 1);
  assert.deepEqual(openingsOfEach([]), []);
});
