import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createManualClock } from '../../base/index.ts';
import { openKnowledgeStore } from '../store/index.ts';
import { KEPT_MS, lookFor } from './cache.ts';
import { wordsAsked } from './telling.ts';

/** A knowledge base with vectors, and an embedder that says what the test says and counts what it is asked. */
function open(cosines: Readonly<Record<string, number>> = {}) {
  const store = openKnowledgeStore({ path: ':memory:', embedder: { id: 'e', hash: 'h', dimension: 2 } });
  const clock = createManualClock(1_000_000);
  const asked: string[] = [];
  const embedder = {
    async embed([text]: readonly string[]) {
      asked.push(text!);
      // The cosine to a question that is not named, which is the first axis.
      const cosine = cosines[text!] ?? 1;
      return Float32Array.of(cosine, Math.sqrt(1 - cosine * cosine));
    },
  };
  const look = (
    text: string,
    more: { similar?: boolean; options?: unknown; known?: readonly string[] } = {},
  ) =>
    lookFor(
      { store, embedder, clock, namesIn: () => more.known ?? [] },
      { text, options: more.options ?? { k: 5 }, similar: more.similar ?? false },
    );
  return { store, clock, asked, look, [Symbol.dispose]: () => store.close() };
}

test('a question in the same words is given its answer, without a vector', async () => {
  using kb = open();
  const first = await kb.look('When does the lease of Anna end?');
  assert.equal(first.found, null);
  assert.ok(await first.keep('in May'));
  kb.clock.advance(5000);
  for (const text of [
    'When does the lease of Anna end?',
    '  please tell me when does lease of anna end',
    'WHEN does the lease of Anna end'.replace('WHEN', 'When'),
  ])
    assert.deepEqual((await kb.look(text)).found, { value: 'in May', ageMs: 5000, similarity: 1 }, text);
  for (const text of [
    'When did the lease of Anna end?',
    'When does the lease of Anne end?',
    'When does the end of Anna lease?',
    'When does the lease of Anna not end?',
    'When does the lease of Anna end? In 2030?',
  ])
    assert.equal((await kb.look(text)).found, null, text);
  assert.deepEqual(kb.asked, []);
});

test('an answer is of one version, of its options, and of a day', async () => {
  using kb = open();
  const text = 'Who pays?';
  await (await kb.look(text)).keep('Anna');
  assert.equal((await kb.look(text, { options: { k: 6 } })).found, null);
  assert.equal((await kb.look(text)).found?.value, 'Anna');
  kb.clock.advance(KEPT_MS);
  assert.equal((await kb.look(text)).found, null);
  await (await kb.look(text)).keep('Berta');
  const late = await kb.look('Who owes?');
  kb.store.merge({ alias: 'a', entity: 'b', reason: 'test', made: 1 });
  assert.equal(await late.keep('of yesterday'), false, 'it changed while the answer was made');
  assert.equal((await kb.look(text)).found, null);
});

test('a question that means the same is found where that is allowed, near enough, for one embedding', async () => {
  using kb = open({
    'When will the lease of Anna end?': 0.97,
    'When would the lease of Anna be ended?': 0.94,
    'When does the lease of Berta end?': 0.999,
  });
  const similar = true;
  await (await kb.look('When does the lease of Anna end?', { similar })).keep('in May');
  kb.asked.length = 0;
  const { found } = await kb.look('When will the lease of Anna end?', { similar });
  assert.equal(found?.value, 'in May');
  assert.ok(Math.abs(found!.similarity - 0.97) < 1e-6);
  assert.equal(kb.asked.length, 1);
  assert.equal((await kb.look('When would the lease of Anna be ended?', { similar })).found, null);
  assert.equal((await kb.look('When does the lease of Berta end?', { similar })).found, null);
  assert.equal((await kb.look('When will the lease of Anna end?')).found, null, 'it is not allowed');
  // A name that only the knowledge base knows as one.
  await (await kb.look('what does anna owe', { similar, known: ['anna'] })).keep('rent');
  assert.equal((await kb.look('what does anna owe', { similar, known: ['anna', 'owe'] })).found, null);
});

test('an embedder that fails fails what needs it, and keeps nothing half', async () => {
  using kb = open();
  const parts = {
    store: kb.store,
    clock: kb.clock,
    embedder: { embed: () => Promise.reject(new Error('gone')) },
  };
  const question = { text: 'Who pays the rent?', options: null, similar: true };
  const looked = await lookFor(parts, question);
  await assert.rejects(looked.keep('Anna'), /gone/);
  assert.equal(kb.store.kept.figures(kb.clock.now(), KEPT_MS).answers, 0);
});

const NAMES = [
  'Anna',
  'Anne',
  'Berta Meier',
  'Berta Maier',
  'New York',
  'York',
  'US',
  'Ünal',
  'anna',
  'Mr Meier',
];
const NUMBERS = [
  '5',
  '15',
  '1.5',
  '1,5',
  '1884',
  '1914',
  '-5',
  '1st',
  '2nd',
  '3-5',
  '35',
  '½',
  'five',
  'two',
];
const FRAMES = [
  (name: string, number: string) => `What did ${name} pay in ${number}?`,
  (name: string, number: string) => `please tell me what ${name} paid in ${number}`,
  (name: string, number: string) => `Is ${number} the number of ${name}`,
];

test('two questions with other names or numbers never share an answer, even if all vectors were equal', async () => {
  using kb = open();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...FRAMES),
      fc.constantFrom(...FRAMES),
      fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NUMBERS)),
      fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NUMBERS)),
      fc.boolean(),
      async (one, other, a, b, similar) => {
        // In capitals or not it is one name.
        fc.pre(a[0].toLowerCase() !== b[0].toLowerCase() || a[1] !== b[1]);
        kb.store.kept.clear();
        await (await kb.look(one(...a), { similar })).keep('first');
        assert.equal((await kb.look(other(...b), { similar })).found, null, `${one(...a)} | ${other(...b)}`);
      },
    ),
  );
});

test('numbers of any size tell questions apart, and any text has words in bounded time', async () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (a, b) => {
      const ask = (number: number) => JSON.stringify(wordsAsked(`Who was born in ${number}?`));
      assert.equal(ask(a) === ask(b), a === b);
      const grouped = String(a).replace(/\B(?=(?:\d{3})+$)/g, ',');
      assert.deepEqual(wordsAsked(`${grouped} of them`), [String(a), 'of', 'them']);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      assert.deepEqual(wordsAsked(text), wordsAsked(text));
    }),
  );
  for (const hostile of ['"', "a'", '1,', '1.', 'a.', '-', '$ ', 'é', "'"])
    wordsAsked(hostile.repeat(20_000));
});
