/** Search by meaning with the embedder that every install has: all-MiniLM-L6-v2 in the engine, the store on the disk, the slab. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createManualClock, silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine, type Engine } from '../../src/engine/index.ts';
import { createRetriever, type Embedder, lookFor, openKnowledgeStore } from '../../src/knowledge/index.ts';
import { testModel } from '../models/index.ts';

const TEXTS = [
  'Photosynthesis turns light into sugar in the leaves of plants.',
  'The invoice must be paid within thirty days of its date.',
  'The striker scored twice before half time.',
  'Sourdough needs a starter, flour, water and a night of patience.',
  'A transformer predicts the next token from those before it.',
  'Reset the router by holding its button for ten seconds.',
];
/** Of each text, in other words. */
const QUESTIONS = [
  'How do trees make food from sunshine?',
  'When is the bill due?',
  'Who got the goals in the football match?',
  'bread recipe without yeast',
  'how do language models write text',
  'my internet box does not work any more',
];

let engine: Engine;
let embedder: Embedder;
before(async () => {
  engine = createEngine({
    ...{ log: silentLogger, clock: systemClock, random: systemRandom },
    ...{ threads: 1, device: 'cpu' },
  });
  const model = 'minilm';
  const { embedding } = await engine.load({ id: model, path: await testModel('minilm-f16') });
  embedder = {
    ...{ id: model, hash: 'minilm-f16', dimension: embedding, window: 254 },
    embed: async (inputs, { signal }) =>
      (await engine.embed({ model, inputs, truncate: true }, signal)).vectors,
    countTokens: async (texts) => texts.map(() => 0),
  };
});
after(() => engine?.[Symbol.asyncDispose]());

test('questions in other words find their texts, and again after the knowledge base was opened anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kith-search-'));
  try {
    const path = join(folder, 'test.kb');
    {
      using store = openKnowledgeStore({ path, create: { name: 'test', clock: systemClock }, embedder });
      for (const [i, text] of TEXTS.entries()) {
        store.put(
          {
            ...{ path: `${i}.txt`, title: '', titled: false, type: 'txt', hash: new Uint8Array(32).fill(i) },
            ...{ recipe: 'test', bytes: text.length, modified: 0, pages: null, properties: {} },
            ...{ tags: [], aliases: [], links: [], notes: [] },
          },
          [{ id: String(i).padStart(32, '0'), position: 0, title: '', text, tokens: 12, place: {} }],
          await embedder.embed([text], { kind: 'passage' }),
          [],
        );
      }
    }
    using store = openKnowledgeStore({ path, embedder });
    await using retriever = createRetriever({ store, embedder });
    for (const [i, question] of QUESTIONS.entries()) {
      const { hits, by, degraded } = await retriever.search(question, { limit: 3 });
      assert.equal(hits[0]?.chunk.path, `${i}.txt`, question);
      assert.equal(hits[0]?.vector?.rank, 1);
      assert.deepEqual([by, degraded], [['words', 'vectors'], null]);
    }
    assert.deepEqual((await retriever.search(QUESTIONS[0]!, { by: 'words' })).hits, []);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** With one answer. */
const ALIKE: readonly (readonly [string, string])[] = [
  ['When does the lease of the flat end?', 'When will the lease of the flat end?'],
  ['How long should green tea steep?', 'For how long should green tea steep?'],
  ['Who wrote Hamlet?', 'Who was the author of Hamlet?'],
  ['What did Anna Meier say about the garden?', 'What has Anna Meier said about the garden?'],
];
/** With two answers, by a number, a name, a negation or a word that turns the question; the cosines of most are above 0.9. */
const APART: readonly (readonly [string, string])[] = [
  ['What did Anna pay in 1884?', 'What did Anna pay in 1914?'],
  ['What is due on 5 May?', 'What is due on 15 May?'],
  ['What is the deposit for two rooms?', 'What is the deposit for three rooms?'],
  ['What does the first clause say?', 'What does the second clause say?'],
  ['What does clause II say?', 'What does clause III say?'],
  ['When was Ann Lee born?', 'When was Ann Lea born?'],
  ['Did Anna sue Berta?', 'Did Berta sue Anna?'],
  ['Are dogs allowed in the flat?', 'Are dogs not allowed in the flat?'],
  ['Who can enter the flat?', "Who can't enter the flat?"],
  ['Who has paid the rent?', 'Who has never paid the rent?'],
  ['Was the contract signed by both?', 'Was the contract signed by neither?'],
  ['Welche Frist gilt für den Vertrag?', 'Welche Frist gilt nicht für den Vertrag?'],
  ['When did the tenant move in?', 'When did the tenant move out?'],
  ['What is more than 5 km away?', 'What is less than 5 km away?'],
  ['Is the lease valid?', 'Is the lease invalid?'],
  ['What do I do when the alarm is on?', 'What do I do when the alarm is off?'],
  ['Who bought the house?', 'Who sold the house?'],
  ['Who is my landlord?', 'Who was my landlord?'],
  ["What is the name of Ann's brother's wife?", "What is the name of Ann's wife's brother?"],
  ['Who is the wife of the brother of Ann?', 'Who is the brother of the wife of Ann?'],
  ['How far is it from Lisbon to Porto?', 'How far is it from Porto to Lisbon?'],
];

test('a kept answer is given to a question that means the same, and to none of another number, name or negation', async () => {
  using store = openKnowledgeStore({ path: ':memory:', embedder });
  const parts = { store, embedder, clock: createManualClock(1_000_000) };
  const look = (text: string) => lookFor(parts, { text, options: null, similar: true });
  for (const [question, other] of [...ALIKE, ...APART]) {
    store.kept.clear();
    await (await look(question)).keep('the answer');
    const { found } = await look(other);
    const isAlike = ALIKE.some(([, alike]) => alike === other);
    assert.equal(found?.value ?? null, isAlike ? 'the answer' : null, `${question} | ${other}`);
    if (isAlike) assert.ok(found!.similarity > 0.95 && found!.similarity < 1, other);
  }
});
